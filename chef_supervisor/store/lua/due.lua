-- due: which receivers are to be told something, and when.
-- KEYS  1 outboxes
-- ARGV  1 now_ms ("" = TIME)
-- EACH  1 offset  2 limit
-- RETURNS one {receiver, in how many ms (not less than 0), ...} per item, soonest first; 0 too where a clock before its
-- RETURNS jump has set the time: deliver puts that right.
-- CODES none
-- USES allow_oom clock
-- COST  O(log n + limit)
local K = { outboxes = KEYS[1] }
local at = now_ms()
local LONGEST_WAIT_MS = 13 * 3600 * 1000 -- as in lib/leasing.lua

local function ahead(due)
  local in_ms = math.max(0, tonumber(due) - at)
  return in_ms < LONGEST_WAIT_MS and in_ms or 0
end

local answers = {}
for i = 2, #ARGV, 2 do
  local first, limit = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  local found = redis.call('ZRANGE', K.outboxes, first, first + limit - 1, 'WITHSCORES')
  for place = 2, #found, 2 do
    found[place] = ahead(found[place])
  end
  answers[#answers + 1] = found
end
return answers
