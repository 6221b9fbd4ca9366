-- lanes: one for each job and receiver. Its row, delivery:<job>:<receiver>, holds the latest event that was not taken;
-- its place in outbox:<receiver> says when that is due or, while somebody has it on lease, when the lease ends.
local PACE_MS = 1000

-- The job's field `receivers`: of each a line "<1 = progress too> <name> <url>".
local function each_receiver(receivers, use)
  for progress, receiver, url in string.gmatch(receivers or '', '([01]) (%S+) ([^\n]*)\n') do
    use(receiver, progress == '1', url)
  end
end

local function row_key(K, id, receiver)
  return K.delivery .. id .. ':' .. receiver
end

local function is_end(kind)
  return kind ~= 'job.started' and kind ~= 'job.progress'
end

-- What somebody else put in our place is removed: it must not keep jobs from going on.
local function ours(key, reply)
  if type(reply) == 'table' and reply.err and string.find(reply.err, 'WRONGTYPE', 1, true) then
    redis.call('UNLINK', key)
    return nil
  end
  return reply
end

-- An end is due at once; of all else a lane has one event a second.
local function paced(kind, sent, at)
  -- The smaller of both: where the clock was set back, nobody waits for the time to come again.
  return is_end(kind) and at or math.max(at, math.min(tonumber(sent or 0), at) + PACE_MS)
end

local function is_callback(receiver)
  return string.sub(receiver, 1, 9) == 'callback.'
end

local function count_waiting(K, receiver, by)
  redis.call('HINCRBY', K.counters, 'deliveries_waiting', by)
  if is_callback(receiver) then
    redis.call('HINCRBY', K.counters, 'callbacks_waiting', by)
  end
end

local function schedule(K, id, receiver, due)
  if redis.call('ZADD', K.outbox .. receiver, digits(due), id) == 1 then
    count_waiting(K, receiver, 1)
  end
end

local function unschedule(K, id, receiver)
  if redis.call('ZREM', K.outbox .. receiver, id) == 1 then
    count_waiting(K, receiver, -1)
  end
end

-- After each change of an outbox: when its first lane falls due.
local function set_alarm(K, receiver)
  local head = redis.call('ZRANGE', K.outbox .. receiver, 0, 0, 'WITHSCORES')
  if head[1] then
    if not ours(K.outboxes, redis.pcall('ZADD', K.outboxes, head[2], receiver)) then
      redis.call('ZADD', K.outboxes, head[2], receiver)
    end
  else
    redis.call('ZREM', K.outboxes, receiver)
  end
end
