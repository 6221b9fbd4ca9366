-- retention: finished jobs are kept within bounds of count, age and bytes; a few are forgotten at a time, oldest first.
-- Of the last ones it stays known that they were there, and whose, for those who come back for their files.
local KNOWN_FORGOTTEN = 10000

local function kept_of(K, id)
  return redis.call('HMGET', K.job .. id, 'bytes', 'status', 'tenant', 'receivers')
end

-- Whether somebody is still to be told of the end, with its result.
local function waits(K, id, receivers)
  local waiting = false
  each_receiver(receivers, function(receiver)
    local key = row_key(K, id, receiver)
    waiting = waiting or ours(key, redis.pcall('HGET', key, 'state')) == 'waiting'
  end)
  return waiting
end

-- What is still to be told is told, without the job.
local function forget_deliveries(K, id, receivers)
  each_receiver(receivers, function(receiver)
    local key = row_key(K, id, receiver)
    if ours(key, redis.pcall('HGET', key, 'state')) ~= 'waiting' then
      redis.call('UNLINK', key)
    end
  end)
end

local function forget(K, zset, id, ended, job)
  local bytes = tonumber(job[1] or 0)
  remove_later(zset, id)
  forget_deliveries(K, id, job[4])
  for _, prefix in ipairs({ K.job, K.payload, K.result, K.log }) do
    unlink_later(prefix .. id)
  end
  count_later('kept_bytes', 0 - bytes)
  if job[2] then
    count_later('kept_' .. job[2], -1)
  end
  if job[3] then
    put_later(K.forgotten, digits(ended), id .. ' ' .. job[3])
  end
  return bytes
end

-- Jobs whose end is still to be told go for their age and bytes, or where there are twice as many as may be.
-- Returns how many were forgotten.
local function trim(K, max_jobs, max_bytes, oldest_ms, steps)
  local kept = tonumber(redis.call('HGET', K.counters, 'kept_bytes') or 0)
  local shelves, forgotten = { shelf_of(K.completed), shelf_of(K.failed) }, 0
  local function is_over(shelf, jobs)
    return shelf.count > (jobs or max_jobs) or shelf.at < oldest_ms or kept > max_bytes
  end
  for _ = 1, steps do
    local shelf = oldest_of(shelves, is_over)
    if not shelf then
      break
    end
    local job = kept_of(K, shelf.id)
    if is_over(shelf, 2 * max_jobs) or not waits(K, shelf.id, job[4]) then
      kept, forgotten = kept - forget(K, shelf.zset, shelf.id, shelf.at, job), forgotten + 1
      shelf.count = shelf.count - 1
    end
    look(shelf)
  end
  if forgotten > 0 then
    write_later(K)
    redis.call('ZREMRANGEBYRANK', K.forgotten, 0, -1 - KNOWN_FORGOTTEN)
  end
  return forgotten
end
