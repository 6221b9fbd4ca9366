-- clock: one clock for all. ARGV[1] is the time in tests and empty in production, where the server's own counts.
local function now_ms()
  if ARGV[1] ~= '' then
    return tonumber(ARGV[1])
  end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Lua prints large numbers as 1e+15; Redis shall see digits.
local function digits(number)
  return string.format('%d', number)
end
