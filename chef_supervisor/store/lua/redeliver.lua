-- redeliver: tell the end of jobs again, to one receiver or to all; due now, and as if never tried.
-- KEYS  1 job:  2 delivery:  3 outbox:  4 outboxes  5 counters
-- ARGV  1 now_ms ("" = TIME)
-- EACH  1 id  2 receiver ("" = all)
-- RETURNS one {code, status, receivers that are told} per job.
-- CODES 2 unknown  1 done  0 not_over
-- USES allow_oom clock lanes
-- COST  O(log n) a receiver
local K = { job = KEYS[1], delivery = KEYS[2], outbox = KEYS[3], outboxes = KEYS[4], counters = KEYS[5] }
local at = now_ms()
local UNKNOWN, DONE, NOT_OVER = 2, 1, 0

local function tell_again(id, receiver)
  local key = row_key(K, id, receiver)
  local row = ours(key, redis.pcall('HMGET', key, 'kind', 'lease')) or {}
  if not row[1] or not is_end(row[1]) then
    return false
  end
  redis.call('HSET', key, 'state', 'waiting', 'tries', 0, 'failed', 0, 'reason', '', 'since', digits(at), 'forced', 1)
  if row[2] then
    -- On its way: it is told once more when that is over, however it ends.
    redis.call('HSET', key, 'again', row[2])
  else
    schedule(K, id, receiver, at)
    set_alarm(K, receiver)
  end
  return true
end

local function redeliver(id, wanted)
  local job, told = redis.call('HMGET', K.job .. id, 'status', 'receivers'), {}
  if not job[1] then
    return { UNKNOWN, '', told }
  elseif job[1] == 'pending' or job[1] == 'processing' then
    return { NOT_OVER, job[1], told }
  end
  each_receiver(job[2], function(receiver)
    if (wanted == '' or wanted == receiver) and tell_again(id, receiver) then
      told[#told + 1] = receiver
    end
  end)
  return { DONE, job[1], told }
end

local answers = {}
for i = 2, #ARGV, 2 do
  answers[#answers + 1] = redeliver(ARGV[i], ARGV[i + 1])
end
return answers
