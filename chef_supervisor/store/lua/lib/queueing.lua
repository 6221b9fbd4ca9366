-- queueing: a new job's hash, and its place among those that wait.

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

local function queue(K, job, superseded, at)
  local key = K.job .. job.id
  -- Memory is checked at the first write only, so this must be one that is refused when memory is full.
  redis.call('HSET', key, 'schema', 1, 'type', job.type, 'tenant', job.tenant, 'priority', job.priority,
    'status', 'pending', 'created', digits(at), 'bytes', job.bytes)
  if job.options ~= '' then
    redis.call('HSET', key, 'options', job.options, 'attempts', job.attempts)
  end
  if job.receivers ~= '' then
    redis.call('HSET', key, 'receivers', job.receivers)
  end
  if job.supersedes then
    local slot = job.tenant .. ':' .. job.type
    redis.call('HSET', K.latest, slot, job.id)
    redis.call('HSET', key, 'latest', slot, 'superseded', superseded or '')
  end
  if job.payload == '' then
    redis.call('PERSIST', K.payload .. job.id)
  else
    redis.call('HSET', key, 'payload', job.payload)
  end
  local member = string.format('%012.0f', redis.call('HINCRBY', K.counters, 'sequence', 1)) .. ':' .. job.id
  if job.delay_ms > 0 then
    -- It is given its turn when it falls due.
    local due = digits(at + job.delay_ms)
    redis.call('HSET', key, 'member', member, 'due', due)
    redis.call('ZADD', K.delayed, due, job.id)
  else
    local score = give_turn(K, job.priority, job.tenant)
    redis.call('HSET', key, 'member', member, 'score', score)
    redis.call('ZADD', K.pending, score, member)
  end
  tell(K, 'job.pending', job.id, job.type, 'pending', 0, at)
end
