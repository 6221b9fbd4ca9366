-- deliver: lease what is due for receivers, earliest first; the same nonce gets the same again. What is too old, or for
-- a receiver whose address wants nothing more, has its end here.
-- KEYS  1 job:  2 claim:  3 delivery:  4 outbox:  5 outboxes  6 disabled  7 counters
-- ARGV  1 now_ms ("" = TIME)  2 latest_ms ("" = none)  3 lease_ms  4 give_up_ms  5 keep_ms (what ends without its job)
-- EACH  1 receiver  2 nonce  3 slots (0 = what is too old has its end, and no more)  4 address (a digest; "" = none)
-- RETURNS one list per item of {id, seq, kind, type, status, progress, at_ms, tries before this one,
-- RETURNS how many of them were answered by a failure, url}, and
-- RETURNS {id, seq, reason} for each that had its end. The lease is <seq>:<nonce>.
-- CODES none; the error LATE <now_ms> after latest_ms: nobody waits for them any more
-- USES allow_oom clock late lanes delivering leasing
-- COST  O(log n) a lane, at most slots + 64
local K = {
  job = KEYS[1], claim = KEYS[2], delivery = KEYS[3], outbox = KEYS[4], outboxes = KEYS[5], disabled = KEYS[6],
  counters = KEYS[7],
}
local at, lease_ms, give_up_ms, keep_ms = now_ms(), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
if late(at) then
  return late(at)
end
local REPLAY_MS, MORE = 60000, 64

-- Another address has not answered yet.
local function is_disabled(receiver, address)
  local disabled = redis.call('HGET', K.disabled, receiver)
  return disabled and string.match(disabled, '^%S+ (%S*)') == address
end

local function take(receiver, nonce, slots, address)
  local wants_nothing, found, ids = slots > 0 and is_disabled(receiver, address), {}, {}
  local due = redis.call('ZRANGEBYSCORE', K.outbox .. receiver, '-inf', digits(at), 'LIMIT', 0, slots + MORE)
  for _, id in ipairs(due) do
    local row = row_of(K, id, receiver)
    local reason = row and hopeless(row, wants_nothing, at, give_up_ms)
    if not row then
      unschedule(K, id, receiver)
    elseif reason then
      end_row(K, id, receiver, lost(row[2]), reason, at, keep_ms)
      found[#found + 1] = { id, row[1], reason }
    elseif #ids < slots then
      found[#found + 1], ids[#ids + 1] = lease(K, id, receiver, row, nonce, at, lease_ms), id
    end
  end
  if #due == 0 then
    pull_back(K, receiver, at, lease_ms, MORE)
  end
  set_alarm(K, receiver)
  if #ids > 0 then
    redis.call('SET', K.claim .. nonce, table.concat(ids, ' '), 'PX', REPLAY_MS)
  end
  return found
end

-- A later event may have come in between: then that one is on lease now.
local function replay(receiver, nonce, ids)
  local found = {}
  for id in string.gmatch(ids, '%S+') do
    local row = row_of(K, id, receiver)
    if row and string.match(row[10] or '', ':(.*)') == nonce then
      found[#found + 1] = lease(K, id, receiver, row, nonce, at, lease_ms)
    end
  end
  return found
end

local answers = {}
for i = 6, #ARGV, 4 do
  local receiver, nonce, slots = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local known = redis.call('GET', K.claim .. nonce)
  answers[#answers + 1] = known and replay(receiver, nonce, known) or take(receiver, nonce, slots, ARGV[i + 3])
end
return answers
