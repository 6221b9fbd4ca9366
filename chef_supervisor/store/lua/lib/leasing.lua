-- leasing: a lane's row as it is read, and handed out to whoever tries to deliver it.
-- A start or a progress is news: tried first within a minute, for a last time within ten seconds.
local NEWS_MS, NEWS_AGAIN_MS = 60000, 10000
-- No event is due later than that: the longest wait after a try is 12 h.
local LONGEST_WAIT_MS = 13 * 3600 * 1000

local function row_of(K, id, receiver)
  local row = redis.pcall('HMGET', row_key(K, id, receiver), 'seq', 'kind', 'type', 'status', 'progress', 'at',
    'tries', 'url', 'since', 'lease', 'forced', 'reason', 'failed')
  return not row.err and row[1] and row[2] and tonumber(row[7] or '') and tonumber(row[9] or '') and row
end

-- Returns why the row is not to be tried any more. One that is sent again by hand is tried in any case.
local function hopeless(row, is_disabled, at, give_up_ms)
  if is_disabled and not row[11] then
    return 'gone'
  end
  local news_ms = tonumber(row[7]) > 0 and NEWS_AGAIN_MS or NEWS_MS
  local age_ms, most_ms = at - tonumber(row[9]), is_end(row[2]) and give_up_ms or math.min(give_up_ms, news_ms)
  return age_ms > most_ms and (row[12] and row[12] ~= '' and row[12] or 'too_old')
end

-- Times that a clock before its jump has set too far ahead. Whoever has one on lease may have it for that long.
local function pull_back(K, receiver, at, lease_ms, most)
  local far, key = digits(at + LONGEST_WAIT_MS), K.outbox .. receiver
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, far, '+inf', 'LIMIT', 0, most)) do
    schedule(K, id, receiver, at + lease_ms)
  end
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
  return { id, row[1], row[2], row[3], row[4], row[5], row[6], tries, tonumber(row[13] or '') or 0, row[8] }
end
