-- due: which receivers are to be told something, and when.
-- KEYS  1 outboxes
-- ARGV  1 now_ms ("" = TIME)
-- EACH  1 limit
-- RETURNS one {receiver, in how many ms (not less than 0), ...} per item, soonest first.
-- CODES none
-- USES allow_oom clock
-- COST  O(limit)
local K = { outboxes = KEYS[1] }
local at = now_ms()

local answers = {}
for i = 2, #ARGV do
  local found = redis.call('ZRANGE', K.outboxes, 0, tonumber(ARGV[i]) - 1, 'WITHSCORES')
  for place = 2, #found, 2 do
    found[place] = math.max(0, tonumber(found[place]) - at)
  end
  answers[#answers + 1] = found
end
return answers
