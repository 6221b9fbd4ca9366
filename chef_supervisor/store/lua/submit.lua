-- submit: queue jobs durably, each at its tenant's fair turn or after its delay; a job, or an idempotency key, that is
-- known already is answered again.
-- KEYS  1 job:  2 payload:  3 result:  4 idem:  5 pending  6 delayed  7 active  8 completed  9 failed  10 turns
-- KEYS  11 latest  12 orders  13 events  14 counters  15 wake  16 delivery:  17 outbox:  18 outboxes
-- ARGV  1 now_ms ("" = TIME)  2 max_jobs  3 max_bytes  4 keep_ms  5 idempotency_ms  6 superseded_result
-- EACH  1 id  2 type  3 tenant  4 priority  5 bytes  6 payload ("" = under payload:<id> already, with a TTL)
-- EACH  7 options ("" = defaults)  8 attempts  9 delay_ms  10 supersedes ("1" or "")  11 idempotency  12 body
-- EACH  13 receivers (lines, see lib/outbox.lua; "" = none)
-- RETURNS one {code, created_ms, id, superseded ("" = none)} per job.
-- CODES 1 queued  2 full  3 payload_missing  4 replayed  5 key_reused
-- USES clock later lanes outbox events turns members ending cancelling idempotency queueing
-- COST  O(log n) a job
local K = {
  job = KEYS[1], payload = KEYS[2], result = KEYS[3], idem = KEYS[4], pending = KEYS[5], delayed = KEYS[6],
  active = KEYS[7], completed = KEYS[8], failed = KEYS[9], turns = KEYS[10], latest = KEYS[11], orders = KEYS[12],
  events = KEYS[13], counters = KEYS[14], wake = KEYS[15], delivery = KEYS[16], outbox = KEYS[17], outboxes = KEYS[18],
}
local at, max_jobs, max_bytes, keep_ms = now_ms(), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local idempotency_ms, superseded_result = ARGV[5], ARGV[6]
local QUEUED, FULL, PAYLOAD_MISSING, REPLAYED, KEY_REUSED = 1, 2, 3, 4, 5

local queued_bytes = tonumber(redis.call('HGET', K.counters, 'queued_bytes') or 0)
local jobs = redis.call('ZCARD', K.pending) + redis.call('ZCARD', K.delayed) + redis.call('ZCARD', K.active)
local room = { jobs = max_jobs - jobs, bytes = max_bytes - queued_bytes }

local function take_room(job, freed_bytes)
  local jobs_left = room.jobs + (freed_bytes and 1 or 0)
  local bytes_left = room.bytes + (freed_bytes or 0)
  if jobs_left < 1 or bytes_left < job.bytes then
    return false
  end
  room.jobs, room.bytes = jobs_left - 1, bytes_left - job.bytes
  return true
end

local function answer(job)
  local created = redis.call('HMGET', K.job .. job.id, 'created', 'superseded')
  if created[1] then
    -- Whoever submits again has sent the payload again, with its TTL.
    redis.call('PERSIST', K.payload .. job.id)
    return { QUEUED, created[1], job.id, created[2] or '' }
  end
  local known = known_request(K, job)
  if known then
    return { known.body == job.body and REPLAYED or KEY_REUSED, known.created, known.id, known.superseded }
  end
  if job.payload == '' and redis.call('EXISTS', K.payload .. job.id) == 0 then
    return { PAYLOAD_MISSING, digits(at), job.id, '' }
  end
  local before, freed_bytes = superseded_by(K, job)
  if not take_room(job, freed_bytes) then
    redis.call('UNLINK', K.payload .. job.id)
    return { FULL, digits(at), job.id, '' }
  end
  queue(K, job, before, at)
  count_later('queued_bytes', job.bytes)
  if before then
    -- It may have come with this very batch.
    write_later(K)
    cancel_job(K, before, 'superseded', superseded_result, at, keep_ms)
  end
  remember_request(K, job, before, at, idempotency_ms)
  return { QUEUED, digits(at), job.id, before or '' }
end

local answers = each_item(K, 7, 13, function(i)
  return answer({
    id = ARGV[i], type = ARGV[i + 1], tenant = ARGV[i + 2], priority = tonumber(ARGV[i + 3]),
    bytes = tonumber(ARGV[i + 4]), payload = ARGV[i + 5], options = ARGV[i + 6], attempts = ARGV[i + 7],
    delay_ms = tonumber(ARGV[i + 8]), supersedes = ARGV[i + 9] == '1', idempotency = ARGV[i + 10], body = ARGV[i + 11],
    receivers = ARGV[i + 12],
  })
end)
if redis.call('ZCARD', K.pending) > 0 then
  redis.call('ZADD', K.wake, 0, 'work')
end
return answers
