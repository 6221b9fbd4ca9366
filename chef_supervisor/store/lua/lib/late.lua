-- late: what a paused server finds in its sockets when it goes on may be of no use to anybody any more. ARGV[2] is the
-- time, by the server's clock, at which the sender has given up; who still waits sends it again with a better guess.
local function late(at)
  return ARGV[2] ~= '' and at > tonumber(ARGV[2]) and redis.error_reply('LATE ' .. digits(at))
end
