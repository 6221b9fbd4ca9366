-- setting_aside: what is no job of ours, or no hash, is taken out of the way and named, so that the others go on.
local MAX_CORRUPT = 1000

local function set_aside(K, id, at)
  redis.call('ZADD', K.corrupt, digits(at), id)
  redis.call('ZREMRANGEBYRANK', K.corrupt, 0, -MAX_CORRUPT - 1)
end
