-- sweep: tenants' turns that are behind their priority's last claim say nothing any more. Few are left alone.
local TURNS_KEPT = 1000

local function sweep(K, steps)
  if redis.call('HLEN', K.turns) <= TURNS_KEPT then
    return
  end
  local cursor = redis.call('HGET', K.counters, 'turns_cursor') or '0'
  local found = redis.call('HSCAN', K.turns, cursor, 'COUNT', steps)
  redis.call('HSET', K.counters, 'turns_cursor', found[1])
  local lanes = {}
  for i = 1, #found[2], 2 do
    local field, turn = found[2][i], tonumber(found[2][i + 1])
    local priority = string.match(field, '^t:(%d+):')
    if priority then
      lanes[priority] = lanes[priority] or tonumber(redis.call('HGET', K.turns, 'p:' .. priority) or 0)
      if turn < lanes[priority] then
        redis.call('HDEL', K.turns, field)
      end
    end
  end
end
