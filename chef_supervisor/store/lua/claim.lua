-- claim: move the best pending jobs to active, each with a new fence; the same nonce gets the same jobs again.
-- KEYS  1 job:  2 claim:  3 pending  4 active  5 turns  6 events  7 counters  8 wake
-- ARGV  1 now_ms ("" = TIME)  2 latest_ms ("" = none)  3 lease_ms  4 reply_bytes (of payloads, to stop before)
-- EACH  1 nonce  2 slots
-- RETURNS one list per claim of {id, type, tenant, run, runs, created_ms, payload (nil: under payload:<id>)}.
-- CODES none; the error LATE <now_ms> after latest_ms: nobody waits for the jobs any more
-- USES allow_oom clock late events turns requeue sweep
-- COST  O(log n) a job; sweeps a bounded part of `turns` when that has grown
local K = {
  job = KEYS[1], claim = KEYS[2], pending = KEYS[3], active = KEYS[4],
  turns = KEYS[5], events = KEYS[6], counters = KEYS[7], wake = KEYS[8],
}
local at, lease_ms, room = now_ms(), tonumber(ARGV[3]), tonumber(ARGV[4])
if late(at) then
  return late(at)
end
local REPLAY_MS = 60000
local lanes, taken = {}, 0 -- per priority the highest turn taken; how many jobs

local function job_of(id)
  return redis.call('HMGET', K.job .. id, 'type', 'tenant', 'claims', 'runs', 'created', 'payload', 'progress', 'fence')
end

local function take(id, member, score, job, nonce)
  local run, runs = tonumber(job[3] or 0) + 1, tonumber(job[4] or 0) + 1
  redis.call('ZREM', K.pending, member)
  redis.call('ZADD', K.active, digits(at + lease_ms), id)
  redis.call('HSET', K.job .. id, 'status', 'processing', 'claims', run, 'runs', runs, 'fence', run .. ':' .. nonce,
    'started', digits(at))
  tell(K, 'job.processing', id, job[1], 'processing', job[7] or 0, at)
  local priority = 20 - math.floor(score / LANE)
  lanes[priority] = math.max(lanes[priority] or 0, score % LANE)
  taken, room = taken + 1, room - #(job[6] or '')
  return { id, job[1], job[2], run, runs, job[5], job[6] }
end

local function claim(nonce, slots)
  local jobs, ids = {}, {}
  local best = redis.call('ZRANGE', K.pending, 0, slots - 1, 'WITHSCORES')
  for i = 1, #best, 2 do
    local id = string.sub(best[i], 14)
    local job = job_of(id)
    if not job[1] then
      redis.call('ZREM', K.pending, best[i])
    elseif taken > 0 and #(job[6] or '') > room then
      break
    else
      jobs[#jobs + 1], ids[#ids + 1] = take(id, best[i], tonumber(best[i + 1]), job, nonce), id
    end
  end
  if #ids > 0 then
    redis.call('SET', K.claim .. nonce, table.concat(ids, ' '), 'PX', REPLAY_MS)
  end
  return jobs
end

local function replay(nonce, ids)
  local jobs = {}
  for id in string.gmatch(ids, '%S+') do
    local job = job_of(id)
    if job[8] and job[8] == job[3] .. ':' .. nonce then
      jobs[#jobs + 1] = { id, job[1], job[2], tonumber(job[3]), tonumber(job[4]), job[5], job[6] }
    end
  end
  return jobs
end

local answers = {}
for i = 5, #ARGV, 2 do
  local known = redis.call('GET', K.claim .. ARGV[i])
  answers[#answers + 1] = known and replay(ARGV[i], known) or claim(ARGV[i], tonumber(ARGV[i + 1]))
end
raise_turns(K, lanes)
sweep(K, 100 + 4 * taken)
wake(K)
return answers
