-- queueing: a new job's hash, and its place among those that wait. The hash stays small enough (no field of more than
-- 64 bytes) for Redis to keep it in one piece, at a third of the memory: the payload has a key of its own.
local SCHEMA = 2

-- Returns the tenant's last job of that type, and its bytes, if it is to give way and is not over.
local function superseded_by(K, job)
  local before = job.supersedes and redis.call('HGET', K.latest, job.tenant .. ':' .. job.type)
  if before then
    -- What is no job any more gives way to nobody, and must not keep the newer one out.
    local found = redis.pcall('HMGET', K.job .. before, 'status', 'bytes')
    if found[1] == 'pending' or found[1] == 'processing' then
      return before, tonumber(found[2] or 0)
    end
  end
end

local function add(fields, ...)
  for _, value in ipairs({ ... }) do
    fields[#fields + 1] = value
  end
end

local function fields_of(job, order, superseded, at)
  local fields = { 'schema', SCHEMA, 'type', job.type, 'tenant', job.tenant, 'priority', job.priority,
    'status', 'pending', 'created', digits(at), 'bytes', job.bytes, 'order', digits(order) }
  if job.options ~= '' then
    add(fields, 'options', job.options, 'attempts', job.attempts)
  end
  if job.receivers ~= '' then
    add(fields, 'receivers', job.receivers)
  end
  if job.supersedes then
    add(fields, 'latest', job.tenant .. ':' .. job.type, 'superseded', superseded or '')
  end
  if job.delay_ms > 0 then
    add(fields, 'due', digits(at + job.delay_ms))
  end
  return fields
end

local function queue(K, job, superseded, at)
  local order = next_number(K, 'sequence')
  -- Memory is checked at the first write only, so this must be one that is refused when memory is full.
  redis.call('HSET', K.job .. job.id, unpack(fields_of(job, order, superseded, at)))
  if job.payload == '' then
    redis.call('PERSIST', K.payload .. job.id)
  else
    redis.call('SET', K.payload .. job.id, job.payload)
  end
  if job.supersedes then
    redis.call('HSET', K.latest, job.tenant .. ':' .. job.type, job.id)
  end
  if job.delay_ms > 0 then
    -- It is given its turn when it falls due.
    put_later(K.delayed, digits(at + job.delay_ms), job.id)
  else
    put_later(K.pending, give_turn(K, job.priority, job.tenant), member_of(order, job.id))
  end
  tell(K, 'job.pending', job.id, job.type, 'pending', 0, at)
end
