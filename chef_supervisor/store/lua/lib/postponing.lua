-- postponing: a run that is over without an outcome, and the job's next run, or its end as poisoned.
local STORY = '@STORY@'
local LONGEST_WAIT_MS = 60000

-- Later than now it waits in `delayed`; its place in `pending` is kept.
local function requeue_later(K, id, at, delay_ms)
  if delay_ms <= 0 then
    return requeue(K, id, at)
  end
  local due, job = digits(at + delay_ms), redis.call('HMGET', K.job .. id, 'type', 'progress')
  redis.call('ZREM', K.active, id)
  redis.call('HDEL', K.job .. id, 'fence', 'started')
  redis.call('HSET', K.job .. id, 'status', 'pending', 'due', due)
  redis.call('ZADD', K.delayed, due, id)
  tell(K, 'job.pending', id, job[1], 'pending', job[2] or 0, at)
end

local function remember(K, id, job, reason, at)
  local after_s = (at - tonumber(job[10] or at)) / 1000
  local line = string.format('run %s, after %.1f s on supervisor %s: %s', job[8] or '?', after_s, job[9] or '?', reason)
  local story = job[11] and job[11] .. '\n' .. line or line
  redis.call('HSET', K.job .. id, 'faults', story)
  return story
end

-- P: max_ruined_runs, poisoned_result (with a place for the story), keep_ms. `delay_ms` nil: at once after the first
-- time, and then ever later. Returns whether the job ended.
local function ruin(K, P, id, reason, delay_ms, at)
  local key = K.job .. id
  local job = redis.call('HMGET', key, 'runs', 'failures', 'type', 'progress', 'receivers', 'bytes', 'latest', 'claims',
    'holder', 'started', 'faults')
  local ruined, story = tonumber(job[1] or 0) - tonumber(job[2] or 0), remember(K, id, job, reason, at)
  if ruined <= P.max_ruined_runs then
    requeue_later(K, id, at, delay_ms or (ruined > 1 and math.min(1000 * 2 ^ (ruined - 2), LONGEST_WAIT_MS) or 0))
    return false
  end
  local told = string.sub(cjson.encode(story), 2, -2)
  redis.call('HDEL', key, 'fence')
  local result = string.gsub(P.poisoned_result, STORY, function() return told end)
  end_job(K, id, job, 'failed', 'poisoned', result, at, P.keep_ms)
  return true
end
