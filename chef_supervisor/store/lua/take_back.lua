-- take_back: take away what an instance held whose process is known to be dead, as if the leases had run out.
-- KEYS  1 job:  2 result:  3 pending  4 delayed  5 active  6 completed  7 failed  8 latest  9 events  10 counters
-- KEYS  11 wake  12 delivery:  13 outbox:  14 outboxes
-- ARGV  1 now_ms ("" = TIME)  2 latest_ms ("" = none)  3 max_ruined_runs  4 poisoned_result  5 keep_ms
-- EACH  1 instance
-- RETURNS one {requeued ids, poisoned ids} per instance.
-- CODES none; the error LATE <now_ms> after latest_ms: it may hold others by now
-- USES allow_oom clock late later lanes outbox events members requeue ending postponing
-- COST  O(jobs that run anywhere)
local K = {
  job = KEYS[1], result = KEYS[2], pending = KEYS[3], delayed = KEYS[4], active = KEYS[5], completed = KEYS[6],
  failed = KEYS[7], latest = KEYS[8], events = KEYS[9], counters = KEYS[10], wake = KEYS[11],
  delivery = KEYS[12], outbox = KEYS[13], outboxes = KEYS[14],
}
local P = { max_ruined_runs = tonumber(ARGV[3]), poisoned_result = ARGV[4], keep_ms = tonumber(ARGV[5]) }
local at = now_ms()
if late(at) then
  return late(at)
end

local function take_back(instance)
  local requeued, poisoned = {}, {}
  for _, id in ipairs(redis.call('ZRANGE', K.active, 0, -1)) do
    local job = redis.pcall('HMGET', K.job .. id, 'holder', 'status')
    if job[1] == instance and job[2] == 'processing' then
      local over = ruin(K, P, id, 'the supervisor died and was started again', nil, at)
      local group = over and poisoned or requeued
      group[#group + 1] = id
    end
  end
  return { requeued, poisoned }
end

local answers = each_item(K, 6, 1, function(i)
  return take_back(ARGV[i])
end)
wake(K)
return answers
