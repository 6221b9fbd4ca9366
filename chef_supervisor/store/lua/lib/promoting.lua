-- promoting: delayed jobs that are due wait in `pending` from now on.
local function promote(K, ids, aside, at)
  local promoted = {}
  for _, id in ipairs(ids) do
    local job = redis.pcall('HMGET', K.job .. id, 'order', 'score', 'priority', 'tenant', 'type', 'progress')
    redis.call('ZREM', K.delayed, id)
    if job.err or job[1] and not (job[2] or tonumber(job[3] or '') and job[4]) then
      set_aside(K, id, at)
      aside[#aside + 1] = id
    elseif job[1] then
      -- A job that never waited in `pending` gets its turn now; one that did keeps its place.
      local score = job[2] or give_turn(K, tonumber(job[3]), job[4])
      redis.call('HDEL', K.job .. id, 'due')
      redis.call('HSET', K.job .. id, 'status', 'pending')
      redis.call('ZADD', K.pending, score, member_of(job[1], id))
      tell(K, 'job.pending', id, job[5], 'pending', job[6] or 0, at)
      promoted[#promoted + 1] = id
    end
  end
  return promoted
end
