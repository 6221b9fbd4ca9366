-- reap: take jobs whose lease ran out back to their old places, or end them as poisoned; promote delayed jobs that are
-- due; forget finished jobs past retention. Where nobody reaped for a while, holders may have been cut off just as
-- well: then nothing is taken from them for one lease.
-- KEYS  1 job:  2 payload:  3 result:  4 log:  5 pending  6 delayed  7 active  8 completed  9 failed  10 turns
-- KEYS  11 latest  12 corrupt  13 events  14 counters  15 wake  16 forgotten  17 delivery:  18 outbox:  19 outboxes
-- ARGV  1 now_ms ("" = TIME)  2 latest_ms ("" = none)  3 lease_ms  4 max_ruined_runs  5 poisoned_result
-- ARGV  6 keep_jobs  7 keep_ms  8 keep_bytes
-- EACH  1 limit
-- RETURNS one {requeued ids, poisoned ids, promoted ids, ids set aside, how many were forgotten} per pass.
-- CODES none; the error LATE <now_ms> after latest_ms: holders were cut off as well, and must get time to renew
-- USES allow_oom clock late later lanes outbox events turns members requeue ending postponing
-- USES setting_aside promoting shelves retention
-- COST  O(log n) a job, at most `limit` of each kind
local K = {
  job = KEYS[1], payload = KEYS[2], result = KEYS[3], log = KEYS[4], pending = KEYS[5], delayed = KEYS[6],
  active = KEYS[7], completed = KEYS[8], failed = KEYS[9], turns = KEYS[10], latest = KEYS[11], corrupt = KEYS[12],
  events = KEYS[13], counters = KEYS[14], wake = KEYS[15], forgotten = KEYS[16], delivery = KEYS[17],
  outbox = KEYS[18], outboxes = KEYS[19],
}
local at, lease_ms = now_ms(), tonumber(ARGV[3])
local P = { max_ruined_runs = tonumber(ARGV[4]), poisoned_result = ARGV[5], keep_ms = tonumber(ARGV[7]) }
local keep_jobs, keep_bytes = tonumber(ARGV[6]), tonumber(ARGV[8])
if late(at) then
  return late(at)
end

local function may_expire()
  local known = redis.call('HMGET', K.counters, 'reaped', 'reap_from')
  local from, gap_ms = tonumber(known[2] or 0), at - tonumber(known[1] or 0)
  -- Who was cut off for half a lease, and renews every third of it, still has some of it left. Backwards counts, too: a
  -- clock that jumped says nothing of anybody's silence.
  if gap_ms > lease_ms / 2 or gap_ms < 0 then
    from = at + lease_ms
    -- Ends that a clock before its jump has set too far ahead.
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', K.active, digits(at + 2 * lease_ms), '+inf', 'LIMIT', 0, 1000)) do
      redis.call('ZADD', K.active, digits(from), id)
    end
  end
  redis.call('HSET', K.counters, 'reaped', digits(at), 'reap_from', digits(from))
  return at >= from
end

local function due(zset, limit)
  return redis.call('ZRANGEBYSCORE', zset, '-inf', digits(at), 'LIMIT', 0, limit)
end

local function expire(limit)
  local requeued, poisoned, aside = {}, {}, {}
  for _, id in ipairs(due(K.active, limit)) do
    local job = redis.pcall('HMGET', K.job .. id, 'status', 'order', 'score')
    local group = requeued
    -- Without a place it could not be put back.
    if job.err or job[1] == 'processing' and not (job[2] and job[3]) then
      redis.call('ZREM', K.active, id)
      set_aside(K, id, at)
      group = aside
    elseif job[1] ~= 'processing' then
      redis.call('ZREM', K.active, id)
      group = {}
    elseif ruin(K, P, id, 'the supervisor fell silent and its lease ran out', nil, at) then
      group = poisoned
    end
    group[#group + 1] = id
  end
  return requeued, poisoned, aside
end

local expiring = may_expire()
local answers = each_item(K, 9, 1, function(i)
  local limit = tonumber(ARGV[i])
  local requeued, poisoned, aside = expire(expiring and limit or 0)
  local promoted = promote(K, due(K.delayed, limit), aside, at)
  write_later(K)
  local forgotten = trim(K, keep_jobs, keep_bytes, at - P.keep_ms, limit)
  return { requeued, poisoned, promoted, aside, forgotten }
end)
wake(K)
return answers
