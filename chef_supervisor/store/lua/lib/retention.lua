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
  redis.call('ZREM', zset, id)
  forget_deliveries(K, id, job[4])
  redis.call('UNLINK', K.job .. id, K.payload .. id, K.result .. id, K.log .. id)
  -- Not -bytes: Lua prints that of 0 as -0, which is no number to Redis 6.2.
  redis.call('HINCRBY', K.counters, 'kept_bytes', 0 - bytes)
  if job[2] then
    redis.call('HINCRBY', K.counters, 'kept_' .. job[2], -1)
  end
  if job[3] then
    redis.call('ZADD', K.forgotten, ended, id .. ' ' .. job[3])
    redis.call('ZREMRANGEBYRANK', K.forgotten, 0, -1 - KNOWN_FORGOTTEN)
  end
  return bytes
end

local function look(zset, skipped)
  local head = redis.call('ZRANGE', zset, skipped, skipped, 'WITHSCORES')
  return { zset = zset, skipped = skipped, id = head[1], at = tonumber(head[2]), count = redis.call('ZCARD', zset) }
end

-- Jobs whose end is still to be told go for their age and bytes, or where there are twice as many as may be.
-- Returns how many were forgotten.
local function trim(K, max_jobs, max_bytes, oldest_ms, steps)
  local kept = tonumber(redis.call('HGET', K.counters, 'kept_bytes') or 0)
  local shelves, forgotten = { look(K.completed, 0), look(K.failed, 0) }, 0
  for _ = 1, steps do
    local pick
    for index, shelf in ipairs(shelves) do
      local over = shelf.id and (shelf.count > max_jobs or shelf.at < oldest_ms or kept > max_bytes)
      if over and (not pick or shelf.at < shelves[pick].at) then
        pick = index
      end
    end
    if not pick then
      break
    end
    local shelf, job = shelves[pick], kept_of(K, shelves[pick].id)
    local must = shelf.count > 2 * max_jobs or shelf.at < oldest_ms or kept > max_bytes
    if not must and waits(K, shelf.id, job[4]) then
      shelves[pick] = look(shelf.zset, shelf.skipped + 1)
    else
      kept, forgotten = kept - forget(K, shelf.zset, shelf.id, shelf.at, job), forgotten + 1
      shelves[pick] = look(shelf.zset, shelf.skipped)
    end
  end
  return forgotten
end
