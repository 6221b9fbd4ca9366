-- idempotency: a key stands for one request; the request that comes again is answered as the first time.
local function known_request(K, job)
  if job.idempotency == '' then
    return nil
  end
  local id, body, created, superseded = string.match(redis.call('GET', K.idem .. job.idempotency) or '',
    '^(%S+) (%S+) (%S+) (%S*)$')
  if not id or id == job.id then
    return nil
  end
  -- Sent before this was asked; the job that there is has its own.
  redis.call('UNLINK', K.payload .. job.id)
  return { id = id, body = body, created = created, superseded = superseded }
end

local function remember_request(K, job, superseded, at, keep_ms)
  if job.idempotency ~= '' then
    local value = table.concat({ job.id, job.body, digits(at), superseded or '' }, ' ')
    redis.call('SET', K.idem .. job.idempotency, value, 'PX', keep_ms)
  end
end
