-- finish: record the one terminal state of jobs with its result; by the fence that ended it, again and again.
-- KEYS  1 job:  2 payload:  3 result:  4 log:  5 active  6 completed  7 failed  8 latest  9 events  10 counters
-- KEYS  11 forgotten  12 delivery:  13 outbox:  14 outboxes
-- ARGV  1 now_ms ("" = TIME)  2 keep_jobs  3 keep_ms  4 keep_bytes
-- EACH  1 id  2 fence  3 status  4 cause  5 result
-- RETURNS one code per job.
-- CODES 1 done  0 fenced
-- USES allow_oom clock later lanes outbox events fence ending shelves retention
-- COST  O(log n) a job; forgets at most 8 + 2 a job of those past retention
local K = {
  job = KEYS[1], payload = KEYS[2], result = KEYS[3], log = KEYS[4], active = KEYS[5],
  completed = KEYS[6], failed = KEYS[7], latest = KEYS[8], events = KEYS[9], counters = KEYS[10],
  forgotten = KEYS[11], delivery = KEYS[12], outbox = KEYS[13], outboxes = KEYS[14],
}
local at, keep_jobs, keep_ms, keep_bytes = now_ms(), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local DONE, FENCED = 1, 0

local answers = each_item(K, 5, 5, function(i)
  local id, fence = ARGV[i], ARGV[i + 1]
  local ours, job = holds(K, id, fence)
  if ours then
    if ARGV[i + 2] == 'failed' or ARGV[i + 2] == 'timeout' then
      redis.call('HINCRBY', K.job .. id, 'failures', 1)
    end
    end_job(K, id, job, ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], at, keep_ms)
  end
  -- Who was ended by another hand (reaped, cancelled) has lost the fence; who ended it keeps it.
  local ended_before = job[1] ~= 'pending' and job[2] == fence
  return (ours or ended_before) and DONE or FENCED
end)
trim(K, keep_jobs, keep_bytes, at - keep_ms, 8 + 2 * #answers)
return answers
