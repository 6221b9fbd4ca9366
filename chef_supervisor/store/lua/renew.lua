-- renew: move the end of leases to now + lease_ms. A lease that ran out is still its holder's until it is reaped.
-- KEYS  1 job:  2 active
-- ARGV  1 now_ms ("" = TIME)  2 lease_ms
-- EACH  1 id  2 fence
-- RETURNS one code per job.
-- CODES 1 done  0 fenced
-- USES allow_oom clock fence
-- COST  O(log n) a job
local K = { job = KEYS[1], active = KEYS[2] }
local lease_end = digits(now_ms() + tonumber(ARGV[2]))
local DONE, FENCED = 1, 0

local answers = {}
for i = 3, #ARGV, 2 do
  local ours = holds(K, ARGV[i], ARGV[i + 1])
  if ours then
    redis.call('ZADD', K.active, lease_end, ARGV[i])
  end
  answers[#answers + 1] = ours and DONE or FENCED
end
return answers
