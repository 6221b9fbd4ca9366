-- claim: move the best pending jobs to active, each with a new fence; the same nonce gets the same jobs again.
-- KEYS  1 job:  2 claim:  3 pending  4 delayed  5 active  6 turns  7 corrupt  8 events  9 counters  10 wake
-- KEYS  11 delivery:  12 outbox:  13 outboxes
-- ARGV  1 now_ms ("" = TIME)  2 latest_ms ("" = none)  3 lease_ms  4 reply_bytes (of payloads, to stop before)
-- ARGV  5 instance (who claims)
-- EACH  1 nonce  2 slots
-- RETURNS one list per claim of {id, type, tenant, run, runs, failures, options, created_ms, payload (nil: under
-- RETURNS payload:<id>)}, and {id} for each that was set aside because it cannot be read.
-- CODES none; the error LATE <now_ms> after latest_ms: nobody waits for the jobs any more
-- USES allow_oom clock late lanes outbox events turns requeue sweep setting_aside claiming
-- COST  O(log n) a job; sweeps a bounded part of `turns` when that has grown
local K = {
  job = KEYS[1], claim = KEYS[2], pending = KEYS[3], delayed = KEYS[4], active = KEYS[5],
  turns = KEYS[6], corrupt = KEYS[7], events = KEYS[8], counters = KEYS[9], wake = KEYS[10],
  delivery = KEYS[11], outbox = KEYS[12], outboxes = KEYS[13],
}
local at, lease_ms, room = now_ms(), tonumber(ARGV[3]), tonumber(ARGV[4])
if late(at) then
  return late(at)
end
local REPLAY_MS, LEFT_MS = 60000, 5000
local lanes, taken = {}, 0 -- per priority the highest turn taken; how many jobs

local function take(id, member, score, job, nonce)
  local run, runs = tonumber(job[3] or 0) + 1, tonumber(job[4] or 0) + 1
  redis.call('ZREM', K.pending, member)
  redis.call('ZADD', K.active, digits(at + lease_ms), id)
  redis.call('HSET', K.job .. id, 'status', 'processing', 'claims', run, 'runs', runs, 'fence', run .. ':' .. nonce,
    'started', digits(at), 'holder', ARGV[5])
  tell(K, 'job.processing', id, job[1], 'processing', job[9] or 0, at)
  local priority = 20 - math.floor(score / LANE)
  lanes[priority] = math.max(lanes[priority] or 0, score % LANE)
  taken, room = taken + 1, room - weight_of(job)
  return told(id, job, run, runs)
end

local function claim(nonce, slots)
  local jobs, ids = {}, {}
  local best = redis.call('ZRANGE', K.pending, 0, slots - 1, 'WITHSCORES')
  for i = 1, #best, 2 do
    local id = string.sub(best[i], 14)
    local job = job_of(K, id)
    if not is_readable(job) then
      redis.call('ZREM', K.pending, best[i])
      set_aside(K, id, at)
      jobs[#jobs + 1] = { id }
    elseif is_newer(job) then
      -- A newer version wrote it, and knows what to do with it: it waits for one, out of the way of the others.
      redis.call('ZREM', K.pending, best[i])
      redis.call('ZADD', K.delayed, digits(at + LEFT_MS), id)
    elseif taken > 0 and weight_of(job) > room then
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

local answers = {}
for i = 6, #ARGV, 2 do
  local known = redis.call('GET', K.claim .. ARGV[i])
  answers[#answers + 1] = known and told_again(K, ARGV[i], known) or claim(ARGV[i], tonumber(ARGV[i + 1]))
end
raise_turns(K, lanes)
sweep(K, 100 + 4 * taken)
wake(K)
return answers
