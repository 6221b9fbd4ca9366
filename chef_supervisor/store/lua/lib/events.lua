-- events: positions are numbered without holes (1-0, 2-0, ...), so that a reader sees for certain whether some were
-- trimmed. Receivers are told of all but that a job waits.
local MAX_EVENTS = 10000

-- `receivers`: the job's field; nil where it waits. Returns whether a receiver is told of it.
local function tell(K, kind, id, type, status, progress, at, receivers)
  redis.call('XADD', K.events, 'MAXLEN', '~', MAX_EVENTS, digits(next_number(K, 'events')) .. '-0', 'kind', kind,
    'job', id, 'type', type, 'status', status, 'progress', progress, 'at', digits(at))
  return receivers and tell_receivers(K, kind, id, type, status, progress, at, receivers)
end
