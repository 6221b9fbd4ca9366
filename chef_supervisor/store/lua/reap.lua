-- reap: take jobs whose lease ran out back to their old places, or end them as poisoned; promote delayed jobs that are
-- due; forget finished jobs past retention.
-- KEYS  1 job:  2 payload:  3 result:  4 log:  5 pending  6 delayed  7 active  8 completed  9 failed  10 turns
-- KEYS  11 events  12 counters  13 wake
-- ARGV  1 now_ms ("" = TIME)  2 latest_ms ("" = none)  3 max_ruined_runs  4 poisoned_result
-- ARGV  5 keep_jobs  6 keep_ms  7 keep_bytes
-- EACH  1 limit
-- RETURNS one {requeued ids, poisoned ids, promoted ids} per pass.
-- CODES none; the error LATE <now_ms> after latest_ms: holders were cut off as well, and must get time to renew
-- USES allow_oom clock late events turns requeue ending retention
-- COST  O(log n) a job, at most `limit` of each kind
local K = {
  job = KEYS[1], payload = KEYS[2], result = KEYS[3], log = KEYS[4], pending = KEYS[5], delayed = KEYS[6],
  active = KEYS[7], completed = KEYS[8], failed = KEYS[9], turns = KEYS[10],
  events = KEYS[11], counters = KEYS[12], wake = KEYS[13],
}
local at, max_ruined_runs, poisoned_result = now_ms(), tonumber(ARGV[3]), ARGV[4]
local keep_jobs, keep_ms, keep_bytes = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
if late(at) then
  return late(at)
end

local function due(zset, limit)
  return redis.call('ZRANGEBYSCORE', zset, '-inf', digits(at), 'LIMIT', 0, limit)
end

local function expire(limit)
  local requeued, poisoned = {}, {}
  for _, id in ipairs(due(K.active, limit)) do
    local job = redis.call('HMGET', K.job .. id, 'status', 'runs', 'failures')
    if job[1] ~= 'processing' then
      redis.call('ZREM', K.active, id)
    elseif tonumber(job[2]) - tonumber(job[3] or 0) > max_ruined_runs then
      redis.call('HDEL', K.job .. id, 'fence')
      end_job(K, id, 'failed', 'poisoned', poisoned_result, at, keep_ms)
      poisoned[#poisoned + 1] = id
    else
      requeue(K, id, at)
      requeued[#requeued + 1] = id
    end
  end
  return requeued, poisoned
end

local function promote(limit)
  local promoted = {}
  for _, id in ipairs(due(K.delayed, limit)) do
    local job = redis.call('HMGET', K.job .. id, 'member', 'score', 'priority', 'tenant', 'type', 'progress')
    redis.call('ZREM', K.delayed, id)
    if job[1] then
      -- A job that never waited in `pending` gets its turn now; one that did keeps its place.
      local score = job[2] or give_turn(K, tonumber(job[3]), job[4])
      redis.call('HSET', K.job .. id, 'status', 'pending', 'score', score)
      redis.call('ZADD', K.pending, score, job[1])
      tell(K, 'job.pending', id, job[5], 'pending', job[6] or 0, at)
      promoted[#promoted + 1] = id
    end
  end
  return promoted
end

local answers = {}
for i = 8, #ARGV do
  local limit = tonumber(ARGV[i])
  local requeued, poisoned = expire(limit)
  answers[#answers + 1] = { requeued, poisoned, promote(limit) }
  trim(K, keep_jobs, keep_bytes, at - keep_ms, limit)
end
wake(K)
return answers
