-- delivering: what becomes of a lane's latest event. Where the job is forgotten, its lanes go by themselves.
local function lost(kind)
  return is_end(kind) and 'undeliverable' or 'given_up'
end

-- State: delivered, undeliverable or given_up.
local function end_row(K, id, receiver, state, reason, at, keep_ms)
  local key = row_key(K, id, receiver)
  redis.call('HSET', key, 'state', state, 'reason', reason, 'ended', digits(at))
  redis.call('HDEL', key, 'lease')
  unschedule(K, id, receiver)
  if state == 'undeliverable' then
    redis.call('HINCRBY', K.counters, 'undeliverable', 1)
  end
  if redis.call('EXISTS', K.job .. id) == 0 then
    redis.call('PEXPIRE', key, keep_ms)
  end
end

-- A callback is one job's own: its host says nothing for the others. Of all else it counts for that address.
local function close(K, key, receiver, address, at)
  if is_callback(receiver) then
    redis.call('HSET', key, 'closed', 'gone')
  else
    redis.call('HSET', K.disabled, receiver, digits(at) .. ' ' .. address)
  end
end

-- It was not tried.
local function give_back(K, key, tries)
  if tonumber(tries or 0) > 0 then
    redis.call('HINCRBY', key, 'tries', -1)
    redis.call('HINCRBY', K.counters, 'delivery_tries', -1)
  end
end
