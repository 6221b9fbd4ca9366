-- release: put claimed jobs back in their old places and give the run back; by the same fence, again and again.
-- KEYS  1 job:  2 pending  3 active  4 events  5 counters  6 wake  7 delivery:  8 outbox:  9 outboxes
-- ARGV  1 now_ms ("" = TIME)
-- EACH  1 id  2 fence
-- RETURNS one code per job.
-- CODES 1 done  0 fenced
-- USES allow_oom clock later lanes outbox events fence members requeue
-- COST  O(log n) a job
local K = {
  job = KEYS[1], pending = KEYS[2], active = KEYS[3], events = KEYS[4], counters = KEYS[5], wake = KEYS[6],
  delivery = KEYS[7], outbox = KEYS[8], outboxes = KEYS[9],
}
local at = now_ms()
local DONE, FENCED = 1, 0

local function release(id, fence)
  if holds(K, id, fence) then
    redis.call('HINCRBY', K.job .. id, 'runs', -1)
    redis.call('HSET', K.job .. id, 'freed', fence)
    requeue(K, id, at)
    return DONE
  end
  -- The reply to the first try may have been lost.
  return redis.call('HGET', K.job .. id, 'freed') == fence and DONE or FENCED
end

local answers = each_item(K, 2, 2, function(i)
  return release(ARGV[i], ARGV[i + 1])
end)
wake(K)
return answers
