-- outbox: what receivers are to be told is written with the change itself. A later event takes the place of one that
-- was not taken.
local MAX_WAITING = 100000
local TOLD_AS = { ['job.processing'] = 'job.started' }

local function put(K, id, receiver, event)
  local key = row_key(K, id, receiver)
  local row = ours(key, redis.pcall('HMGET', key, 'lease', 'sent', 'closed', 'state')) or {}
  local waiting = ours(K.outbox .. receiver, redis.pcall('ZCARD', K.outbox .. receiver)) or 0
  local is_full = row[4] ~= 'waiting' and waiting >= MAX_WAITING
  local refused = row[3] or is_full and 'too_many_waiting'
  if refused and not is_end(event.kind) then
    return
  end
  redis.call('HSET', key, 'seq', event.seq, 'kind', event.kind, 'type', event.type, 'status', event.status,
    'progress', event.progress, 'at', digits(event.at), 'since', digits(event.at), 'url', event.url, 'tries', 0,
    'reason', refused or '', 'state', refused and 'undeliverable' or 'waiting')
  if refused then
    redis.call('HINCRBY', K.counters, 'undeliverable', 1)
  elseif not row[1] then
    -- On lease, it falls due with the answer or with the lease's end: nobody may overtake whoever is on the way.
    schedule(K, id, receiver, paced(event.kind, row[2], event.at))
    set_alarm(K, receiver)
  end
end

local function tell_receivers(K, kind, id, type, status, progress, at)
  local event = { kind = TOLD_AS[kind] or kind, type = type, status = status, progress = progress, at = at }
  each_receiver(redis.call('HGET', K.job .. id, 'receivers'), function(receiver, wants_progress, url)
    if wants_progress or is_end(event.kind) then
      event.seq, event.url = event.seq or redis.call('HINCRBY', K.job .. id, 'seq', 1), url
      put(K, id, receiver, event)
    end
  end)
end
