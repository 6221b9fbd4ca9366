-- events: positions are numbered without holes (1-0, 2-0, ...), so that a reader sees for certain whether some were
-- trimmed. Receivers are told of all but that a job waits.
local MAX_EVENTS = 10000

-- Returns whether a receiver is told of it.
local function tell(K, kind, id, type, status, progress, at)
  local number = redis.call('HINCRBY', K.counters, 'events', 1)
  redis.call('XADD', K.events, 'MAXLEN', '~', MAX_EVENTS, digits(number) .. '-0', 'kind', kind, 'job', id,
    'type', type, 'status', status, 'progress', progress, 'at', digits(at))
  return status ~= 'pending' and tell_receivers(K, kind, id, type, status, progress, at)
end
