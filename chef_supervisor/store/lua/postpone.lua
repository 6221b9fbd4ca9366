-- postpone: end runs that are to be repeated: at once, later, or (too many ruined) never; by a fence, again and again.
-- KEYS  1 job:  2 result:  3 pending  4 delayed  5 active  6 completed  7 failed  8 latest  9 events  10 counters
-- KEYS  11 wake  12 delivery:  13 outbox:  14 outboxes
-- ARGV  1 now_ms ("" = TIME)  2 max_ruined_runs  3 poisoned_result  4 keep_ms
-- EACH  1 id  2 fence  3 blame ("project" or "infrastructure")  4 reason  5 delay_ms
-- RETURNS one code per job.
-- CODES 2 poisoned  1 waiting  0 fenced
-- USES allow_oom clock later lanes outbox events fence members requeue ending postponing
-- COST  O(log n) a job
local K = {
  job = KEYS[1], result = KEYS[2], pending = KEYS[3], delayed = KEYS[4], active = KEYS[5], completed = KEYS[6],
  failed = KEYS[7], latest = KEYS[8], events = KEYS[9], counters = KEYS[10], wake = KEYS[11],
  delivery = KEYS[12], outbox = KEYS[13], outboxes = KEYS[14],
}
local P = { max_ruined_runs = tonumber(ARGV[2]), poisoned_result = ARGV[3], keep_ms = tonumber(ARGV[4]) }
local at = now_ms()
local POISONED, WAITING, FENCED = 2, 1, 0

-- The reply to the first try may have been lost.
local function again(id, fence)
  local job = redis.call('HMGET', K.job .. id, 'freed', 'cause')
  if job[1] ~= fence then
    return FENCED
  end
  return job[2] == 'poisoned' and POISONED or WAITING
end

local function postpone(id, fence, blame, reason, delay_ms)
  if not holds(K, id, fence) then
    return again(id, fence)
  end
  redis.call('HSET', K.job .. id, 'freed', fence)
  if blame == 'project' then
    redis.call('HINCRBY', K.job .. id, 'failures', 1)
    requeue_later(K, id, at, delay_ms)
    return WAITING
  end
  return ruin(K, P, id, reason, delay_ms, at) and POISONED or WAITING
end

local answers = each_item(K, 5, 5, function(i)
  return postpone(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], tonumber(ARGV[i + 4]))
end)
wake(K)
return answers
