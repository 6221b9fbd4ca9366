-- outbox: what receivers are to be told is written with the change itself. A later event takes the place of one that
-- was not taken.
-- A row has up to about 600 bytes, and that of a callback its address of 2 KiB: jobs choose those, and many hosts.
local MAX_WAITING, MAX_AT_A_HOST, MAX_CALLBACKS = 100000, 10000, 50000
-- An end skips numbers: where Redis came back without its last moments, it has none that was told in them. More than
-- that many events would be ten runs.
local END_STEP = 1000
local TOLD_AS = { ['job.processing'] = 'job.started' }

local function is_full(K, receiver)
  local waiting = ours(K.outbox .. receiver, redis.pcall('ZCARD', K.outbox .. receiver)) or 0
  if not is_callback(receiver) then
    return waiting >= MAX_WAITING
  end
  return waiting >= MAX_AT_A_HOST
    or tonumber(redis.call('HGET', K.counters, 'callbacks_waiting') or 0) >= MAX_CALLBACKS
end

local function put(K, id, receiver, event)
  local key = row_key(K, id, receiver)
  local row = ours(key, redis.pcall('HMGET', key, 'lease', 'sent', 'closed', 'state')) or {}
  local no_room = is_full(K, receiver) and row[4] ~= 'waiting'
  local refused = row[3] or no_room and 'too_many_waiting'
  if refused and not is_end(event.kind) then
    return
  end
  redis.call('HSET', key, 'seq', event.seq, 'kind', event.kind, 'type', event.type, 'status', event.status,
    'progress', event.progress, 'at', digits(event.at), 'since', digits(event.at), 'url', event.url, 'tries', 0,
    'failed', 0, 'reason', refused or '', 'state', refused and 'undeliverable' or 'waiting')
  if refused then
    redis.call('HINCRBY', K.counters, 'undeliverable', 1)
  elseif not row[1] then
    -- On lease, it falls due with the answer or with the lease's end: nobody may overtake whoever is on the way.
    schedule(K, id, receiver, paced(event.kind, row[2], event.at))
    set_alarm(K, receiver)
  end
end

-- Returns whether there is somebody to tell.
local function tell_receivers(K, kind, id, type, status, progress, at, receivers)
  local event = { kind = TOLD_AS[kind] or kind, type = type, status = status, progress = progress, at = at }
  each_receiver(receivers, function(receiver, wants_progress, url)
    if wants_progress or is_end(event.kind) then
      local step = is_end(event.kind) and END_STEP or 1
      event.seq, event.url = event.seq or redis.call('HINCRBY', K.job .. id, 'seq', step), url
      put(K, id, receiver, event)
    end
  end)
  return event.seq ~= nil
end
