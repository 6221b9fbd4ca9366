-- submit: queue jobs durably, each at its tenant's fair turn; a job that is known already is answered again.
-- KEYS  1 job:  2 payload:  3 pending  4 delayed  5 active  6 turns  7 events  8 counters  9 wake
-- ARGV  1 now_ms ("" = TIME)  2 max_jobs  3 max_bytes
-- EACH  1 id  2 type  3 tenant  4 priority  5 bytes  6 payload ("" = under payload:<id> already, with a TTL)
-- RETURNS one {code, created_ms} per job.
-- CODES 1 queued  2 full  3 payload_missing
-- USES clock events turns
-- COST  O(log n) a job
local K = {
  job = KEYS[1], payload = KEYS[2], pending = KEYS[3], delayed = KEYS[4], active = KEYS[5],
  turns = KEYS[6], events = KEYS[7], counters = KEYS[8], wake = KEYS[9],
}
local at, max_jobs, max_bytes = now_ms(), tonumber(ARGV[2]), tonumber(ARGV[3])
local QUEUED, FULL, PAYLOAD_MISSING = 1, 2, 3

local jobs = redis.call('ZCARD', K.pending) + redis.call('ZCARD', K.delayed) + redis.call('ZCARD', K.active)
local before = tonumber(redis.call('HGET', K.counters, 'queued_bytes') or 0)
local queued_bytes = before

local function queue(id, type, tenant, priority, bytes, payload)
  local key = K.job .. id
  -- Memory is checked at the first write only, so this must be one that is refused when memory is full.
  redis.call('HSET', key, 'schema', 1, 'type', type, 'tenant', tenant, 'priority', priority, 'status', 'pending',
    'created', digits(at), 'bytes', bytes)
  local score = give_turn(K, priority, tenant)
  local member = string.format('%012.0f', redis.call('HINCRBY', K.counters, 'sequence', 1)) .. ':' .. id
  redis.call('HSET', key, 'member', member, 'score', score)
  if payload == '' then
    redis.call('PERSIST', K.payload .. id)
  else
    redis.call('HSET', key, 'payload', payload)
  end
  redis.call('ZADD', K.pending, score, member)
  tell(K, 'job.pending', id, type, 'pending', 0, at)
  jobs, queued_bytes = jobs + 1, queued_bytes + bytes
end

local function answer(id, type, tenant, priority, bytes, payload)
  local created = redis.call('HGET', K.job .. id, 'created')
  if created then
    -- Whoever submits again has sent the payload again, with its TTL.
    redis.call('PERSIST', K.payload .. id)
    return { QUEUED, created }
  end
  if jobs >= max_jobs or queued_bytes + bytes > max_bytes then
    if payload == '' then
      redis.call('UNLINK', K.payload .. id)
    end
    return { FULL, digits(at) }
  end
  if payload == '' and redis.call('EXISTS', K.payload .. id) == 0 then
    return { PAYLOAD_MISSING, digits(at) }
  end
  queue(id, type, tenant, priority, bytes, payload)
  return { QUEUED, digits(at) }
end

local answers = {}
for i = 4, #ARGV, 6 do
  answers[#answers + 1] = answer(ARGV[i], ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4]),
    ARGV[i + 5])
end
if queued_bytes > before then
  redis.call('HINCRBY', K.counters, 'queued_bytes', digits(queued_bytes - before))
  redis.call('ZADD', K.wake, 0, 'work')
end
return answers
