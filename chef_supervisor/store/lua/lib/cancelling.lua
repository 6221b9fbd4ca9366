-- cancelling: a job is over at once, wherever it is; whoever runs it is told by an order, and by its next renewal.
local MAX_ORDERS = 1000

local function cancel_job(K, id, cause, result, at, keep_ms)
  local key = K.job .. id
  local job = redis.call('HMGET', key, 'status', 'claims', 'type', 'progress', 'receivers', 'bytes', 'latest', 'order')
  if job[1] ~= 'pending' and job[1] ~= 'processing' then
    return false
  end
  redis.call('HDEL', key, 'fence', 'due')
  if job[1] == 'processing' then
    redis.call('XADD', K.orders, 'MAXLEN', '~', MAX_ORDERS, '*', 'kind', 'cancel', 'job', id, 'run', job[2])
  else
    redis.call('ZREM', K.pending, member_of(job[8] or 0, id))
    redis.call('ZREM', K.delayed, id)
  end
  end_job(K, id, job, 'cancelled', cause, result, at, keep_ms)
  return true
end
