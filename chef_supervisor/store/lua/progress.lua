-- progress: raise the progress of jobs; a lower one is no error and changes nothing.
-- KEYS  1 job:  2 events  3 counters  4 delivery:  5 outbox:  6 outboxes
-- ARGV  1 now_ms ("" = TIME)
-- EACH  1 id  2 fence  3 percent
-- RETURNS one code per job.
-- CODES 2 told (done, and a receiver is told of it)  1 done  0 fenced
-- USES allow_oom clock later lanes outbox events fence
-- COST  O(1) a job
local K = {
  job = KEYS[1], events = KEYS[2], counters = KEYS[3], delivery = KEYS[4], outbox = KEYS[5], outboxes = KEYS[6],
}
local at = now_ms()
local TOLD, DONE, FENCED = 2, 1, 0

local function raise(id, job, percent)
  if percent > tonumber(job[4] or 0) then
    redis.call('HSET', K.job .. id, 'progress', percent)
    return tell(K, 'job.progress', id, job[3], 'processing', percent, at, job[5]) and TOLD or DONE
  end
  return DONE
end

return each_item(K, 2, 3, function(i)
  local ours, job = holds(K, ARGV[i], ARGV[i + 1])
  return ours and raise(ARGV[i], job, tonumber(ARGV[i + 2])) or FENCED
end)
