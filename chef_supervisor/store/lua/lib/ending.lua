-- ending: the one terminal state. The caller has checked that the job is neither over nor somebody else's, and has
-- taken it out of where it waits.
local function end_job(K, id, status, cause, result, at, keep_ms)
  local key, kept = K.job .. id, status == 'completed' and K.completed or K.failed
  local job = redis.call('HMGET', key, 'bytes', 'type', 'progress', 'latest')
  local progress = status == 'completed' and 100 or job[3] or 0
  local bytes = tonumber(job[1] or 0)
  redis.call('ZREM', K.active, id)
  redis.call('HSET', key, 'status', status, 'cause', cause, 'progress', progress, 'finished', digits(at),
    'bytes', bytes + #result)
  -- Trimming deletes it; the expiry is for a service that stands idle, and later than the job's own.
  redis.call('SET', K.result .. id, result, 'PX', digits(keep_ms + 60000))
  redis.call('ZADD', kept, digits(at), id)
  redis.call('HINCRBY', K.counters, 'queued_bytes', 0 - bytes)
  redis.call('HINCRBY', K.counters, 'kept_bytes', bytes + #result)
  redis.call('HINCRBY', K.counters, 'kept_' .. status, 1)
  redis.call('HINCRBY', K.counters, 'total_' .. status, 1)
  if job[4] and redis.call('HGET', K.latest, job[4]) == id then
    redis.call('HDEL', K.latest, job[4])
  end
  tell(K, 'job.' .. status, id, job[2], status, progress, at)
end
