-- claim: move the best pending jobs to active, each with a new fence; the same nonce gets the same jobs again.
-- KEYS  1 job:  2 payload:  3 claim:  4 pending  5 delayed  6 active  7 turns  8 corrupt  9 events  10 counters
-- KEYS  11 wake  12 delivery:  13 outbox:  14 outboxes
-- ARGV  1 now_ms ("" = TIME)  2 latest_ms ("" = none)  3 lease_ms  4 reply_bytes (of payloads, to stop before)
-- ARGV  5 instance (who claims)
-- EACH  1 nonce  2 slots
-- RETURNS one list per claim of {id, type, tenant, run, runs, failures, options, created_ms, payload (nil: too large
-- RETURNS to go with it, or gone)}, and {id} for each that was set aside because it cannot be read.
-- CODES none; the error LATE <now_ms> after latest_ms: nobody waits for the jobs any more
-- USES allow_oom clock late later lanes outbox events turns members requeue sweep setting_aside claiming
-- COST  O(log n) a job; sweeps a bounded part of `turns` when that has grown
local K = {
  job = KEYS[1], payload = KEYS[2], claim = KEYS[3], pending = KEYS[4], delayed = KEYS[5], active = KEYS[6],
  turns = KEYS[7], corrupt = KEYS[8], events = KEYS[9], counters = KEYS[10], wake = KEYS[11],
  delivery = KEYS[12], outbox = KEYS[13], outboxes = KEYS[14],
}
local at, lease_ms, room = now_ms(), tonumber(ARGV[3]), tonumber(ARGV[4])
if late(at) then
  return late(at)
end
local REPLAY_MS, LEFT_MS = 60000, 5000
local lanes, taken = {}, 0 -- per priority the highest turn taken; how many jobs

local function take(id, member, score, job, nonce)
  local run, runs = tonumber(job[3] or 0) + 1, tonumber(job[4] or 0) + 1
  redis.call('HSET', K.job .. id, 'status', 'processing', 'claims', run, 'runs', runs, 'fence', run .. ':' .. nonce,
    'started', digits(at), 'holder', ARGV[5], 'score', score)
  remove_later(K.pending, member)
  put_later(K.active, digits(at + lease_ms), id)
  tell(K, 'job.processing', id, job[1], 'processing', job[8] or 0, at, job[13])
  score = tonumber(score)
  local priority = 20 - math.floor(score / LANE)
  lanes[priority] = math.max(lanes[priority] or 0, score % LANE)
  taken, room = taken + 1, room - weight_of(job)
  return told(id, job, run, runs)
end

local function claim(nonce, slots)
  local jobs, ids, small = {}, {}, {}
  local best = redis.call('ZRANGE', K.pending, 0, slots - 1, 'WITHSCORES')
  for i = 1, #best, 2 do
    local id = string.sub(best[i], 14)
    local job = job_of(K, id)
    if not is_readable(job) then
      remove_later(K.pending, best[i])
      set_aside(K, id, at)
      jobs[#jobs + 1] = { id }
    elseif is_newer(job) then
      -- A newer version wrote it, and knows what to do with it: it waits for one, out of the way of the others.
      remove_later(K.pending, best[i])
      put_later(K.delayed, digits(at + LEFT_MS), id)
      -- It is put back where it was.
      redis.call('HSET', K.job .. id, 'score', best[i + 1])
    elseif taken > 0 and weight_of(job) > room then
      break
    else
      jobs[#jobs + 1], ids[#ids + 1] = take(id, best[i], best[i + 1], job, nonce), id
      small[#small + 1] = weight_of(job) <= MAX_PAYLOAD and #jobs or nil
    end
  end
  if #ids > 0 then
    redis.call('SET', K.claim .. nonce, table.concat(ids, ' '), 'PX', REPLAY_MS)
  end
  -- The next one looks at what this one left.
  write_later(K)
  return add_payloads(K, jobs, small)
end

local answers = each_item(K, 6, 2, function(i)
  local known = redis.call('GET', K.claim .. ARGV[i])
  return known and told_again(K, ARGV[i], known) or claim(ARGV[i], tonumber(ARGV[i + 1]))
end)
raise_turns(K, lanes)
sweep(K, 100 + 4 * taken)
wake(K)
return answers
