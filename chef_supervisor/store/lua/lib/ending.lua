-- ending: the one terminal state. The caller has checked that the job is neither over nor somebody else's, and has
-- taken it out of where it waits. `job`: from its third field on type, progress, receivers, bytes, latest.
local function end_job(K, id, job, status, cause, result, at, keep_ms)
  local kept = status == 'completed' and K.completed or K.failed
  local progress, bytes = status == 'completed' and 100 or job[4] or 0, tonumber(job[6] or 0)
  redis.call('HSET', K.job .. id, 'status', status, 'cause', cause, 'progress', progress, 'finished', digits(at),
    'bytes', bytes + #result)
  -- Trimming deletes it; the expiry is for a service that stands idle, and later than the job's own.
  redis.call('SET', K.result .. id, result, 'PX', digits(keep_ms + 60000))
  remove_later(K.active, id)
  put_later(kept, digits(at), id)
  -- Not -bytes: Lua prints that of 0 as -0, which is no number to Redis 6.2.
  count_later('queued_bytes', 0 - bytes)
  count_later('kept_bytes', bytes + #result)
  count_later('kept_' .. status, 1)
  count_later('total_' .. status, 1)
  if job[7] and redis.call('HGET', K.latest, job[7]) == id then
    redis.call('HDEL', K.latest, job[7])
  end
  tell(K, 'job.' .. status, id, job[3], status, progress, at, job[5])
end
