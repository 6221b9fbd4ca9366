-- requeue: a job goes back to the very place it had. Its progress stays, for it never falls.
local function requeue(K, id, at)
  local job = redis.call('HMGET', K.job .. id, 'order', 'score', 'type', 'progress')
  redis.call('ZREM', K.active, id)
  redis.call('HDEL', K.job .. id, 'fence', 'started')
  redis.call('HSET', K.job .. id, 'status', 'pending')
  redis.call('ZADD', K.pending, job[2], member_of(job[1], id))
  tell(K, 'job.pending', id, job[3], 'pending', job[4] or 0, at)
end

-- Nobody blocks on `pending`: idle dispatchers block on this, and it must be there while jobs are.
local function wake(K)
  if redis.call('ZCARD', K.pending) > 0 then
    redis.call('ZADD', K.wake, 0, 'work')
  else
    redis.call('DEL', K.wake)
  end
end
