-- leasing: a lane's row as it is read, and handed out to whoever tries to deliver it.
local function row_of(K, id, receiver)
  local row = redis.pcall('HMGET', row_key(K, id, receiver), 'seq', 'kind', 'type', 'status', 'progress', 'at',
    'tries', 'url', 'since', 'lease', 'forced', 'reason')
  return not row.err and row[1] and row[2] and tonumber(row[7] or '') and tonumber(row[9] or '') and row
end

-- Returns why the row is not to be tried any more. One that is sent again by hand is tried in any case.
local function hopeless(row, is_disabled, oldest)
  if is_disabled and not row[11] then
    return 'gone'
  end
  return tonumber(row[9]) < oldest and (row[12] and row[12] ~= '' and row[12] or 'too_old')
end

local function lease(K, id, receiver, row, nonce, at, lease_ms)
  local key, name, tries = row_key(K, id, receiver), row[1] .. ':' .. nonce, tonumber(row[7])
  if row[10] == name then
    tries = tries - 1 -- the reply was lost, and this try is counted
  else
    redis.call('HSET', key, 'lease', name, 'tries', tries + 1, 'sent', digits(at))
    redis.call('HINCRBY', K.counters, 'delivery_tries', 1)
    schedule(K, id, receiver, at + lease_ms)
  end
  return { id, row[1], row[2], row[3], row[4], row[5], row[6], tries, row[8] }
end
