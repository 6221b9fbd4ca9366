-- cancel: end jobs as cancelled, wherever they are. One that is over keeps the end it has.
-- KEYS  1 job:  2 result:  3 pending  4 delayed  5 active  6 completed  7 failed  8 latest  9 orders  10 events
-- KEYS  11 counters  12 wake  13 delivery:  14 outbox:  15 outboxes
-- ARGV  1 now_ms ("" = TIME)  2 keep_ms  3 cancelled_result
-- EACH  1 id
-- RETURNS one code per job.
-- CODES 1 cancelled  0 over
-- USES allow_oom clock later lanes outbox events members requeue ending cancelling
-- COST  O(log n) a job
local K = {
  job = KEYS[1], result = KEYS[2], pending = KEYS[3], delayed = KEYS[4], active = KEYS[5], completed = KEYS[6],
  failed = KEYS[7], latest = KEYS[8], orders = KEYS[9], events = KEYS[10], counters = KEYS[11], wake = KEYS[12],
  delivery = KEYS[13], outbox = KEYS[14], outboxes = KEYS[15],
}
local at, keep_ms, cancelled_result = now_ms(), tonumber(ARGV[2]), ARGV[3]
local CANCELLED, OVER = 1, 0

local answers = each_item(K, 4, 1, function(i)
  return cancel_job(K, ARGV[i], 'cancelled', cancelled_result, at, keep_ms) and CANCELLED or OVER
end)
wake(K)
return answers
