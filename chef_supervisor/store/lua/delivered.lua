-- delivered: what became of tries; by their leases, again and again.
-- KEYS  1 job:  2 delivery:  3 outbox:  4 outboxes  5 disabled  6 counters
-- ARGV  1 now_ms ("" = TIME)  2 keep_ms (what ends without its job)
-- EACH  1 id  2 receiver  3 lease
-- EACH  4 how ("taken", "again" in delay_ms, "ended", "gone": it wants nothing more, "back": it was not tried)
-- EACH  5 delay_ms (until it is due again)  6 reason  7 address (as told to deliver)
-- RETURNS one code per item.
-- CODES 1 done  0 stale
-- USES allow_oom clock lanes delivering
-- COST  O(log n) an item
local K = {
  job = KEYS[1], delivery = KEYS[2], outbox = KEYS[3], outboxes = KEYS[4], disabled = KEYS[5], counters = KEYS[6],
}
local at, keep_ms = now_ms(), ARGV[2]
local DONE, STALE = 1, 0

local function take_note(key, receiver, how, address, is_forced)
  if how == 'gone' then
    close(K, key, receiver, address, at)
  elseif how == 'taken' then
    redis.call('HINCRBY', K.counters, 'delivered', 1)
    if is_forced then
      redis.call('HDEL', K.disabled, receiver)
    end
  end
end

local function settle(id, receiver, lease, how, delay_ms, reason, address)
  local key = row_key(K, id, receiver)
  local row = redis.call('HMGET', key, 'lease', 'settled', 'seq', 'kind', 'sent', 'tries', 'forced', 'again')
  if row[1] ~= lease then
    -- The reply to the first try may have been lost.
    return row[2] == lease and DONE or STALE
  end
  redis.call('HDEL', key, 'lease', 'again')
  redis.call('HSET', key, 'settled', lease)
  take_note(key, receiver, how, address, row[7])
  if row[8] == lease then
    -- Meanwhile somebody asked for it to be told again: that one begins anew, whatever became of this one.
    schedule(K, id, receiver, at)
  elseif how == 'gone' then
    end_row(K, id, receiver, lost(row[4]), 'gone', at, keep_ms)
  elseif row[3] ~= string.match(lease, '^%d+') then
    -- A later event took its place.
    schedule(K, id, receiver, paced(row[4], row[5], at))
  elseif how == 'taken' then
    end_row(K, id, receiver, 'delivered', '', at, keep_ms)
  elseif how == 'ended' then
    end_row(K, id, receiver, lost(row[4]), reason, at, keep_ms)
  else
    if how == 'back' then
      give_back(K, key, row[6])
    else
      redis.call('HSET', key, 'reason', reason)
      redis.call('HINCRBY', key, 'failed', 1)
    end
    schedule(K, id, receiver, at + delay_ms)
  end
  set_alarm(K, receiver)
  return DONE
end

local answers = {}
for i = 3, #ARGV, 7 do
  local id, receiver, lease, how, delay_ms = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], tonumber(ARGV[i + 4])
  answers[#answers + 1] = settle(id, receiver, lease, how, delay_ms, ARGV[i + 5], ARGV[i + 6])
end
return answers
