-- logging: the stream of one job's output. The id of an entry is <run>-<end of its bytes in all that the run printed>.
-- The job's field `log` is "<run> <end of the newest> <end of the beginning> <bytes as read> <bytes as stored>".
local EXTRA = 128 -- what an entry costs besides its bytes; so a bound in bytes is one in entries too

local function log_of(K, id, run)
  local known = redis.call('HGET', K.job .. id, 'log') or ''
  local of, last, head, read, stored = string.match(known, '^(%d+) (%d+) (%d+) (%d+) (%d+)$')
  local log = { key = K.log .. id, run = run, last = 0, head = 0, read = 0, stored = 0, before = tonumber(stored or 0) }
  if of == run then
    log.last, log.head, log.read, log.stored = tonumber(last), tonumber(head), tonumber(read), log.before
  end
  log.anew = of and of ~= run
  return log
end

local function each_piece(text, use)
  local at = 1
  while at <= #text do
    local _, header, stop, length, name, size = string.find(text, '^(%d+) (%d+) (%d+) (%d+)\n', at)
    local step = string.sub(text, header + 1, header + name)
    at = header + name + size + 1
    use(tonumber(stop), tonumber(length), step, string.sub(text, header + name + 1, at - 1))
  end
end

local function add_piece(log, stop, length, step, content, keep_bytes)
  -- It is there already where the reply to the first try was lost.
  if stop <= log.last then
    return
  end
  redis.call('XADD', log.key, log.run .. '-' .. digits(stop), 'step', step, 'length', length, 'bytes', content)
  local is_beginning = log.head == log.last and log.read + length + EXTRA <= keep_bytes / 2
  log.last, log.head = stop, is_beginning and stop or log.head
  log.read, log.stored = log.read + length + EXTRA, log.stored + #content + EXTRA
end

local function drop_other_runs(log)
  if log.anew then
    redis.call('XTRIM', log.key, 'MINID', log.run .. '-0')
  end
end

-- The oldest after the beginning go first; the newest stays.
local function drop_middle(log, keep_bytes)
  while log.read > keep_bytes do
    local found = redis.call('XRANGE', log.key, '(' .. log.run .. '-' .. digits(log.head), '+', 'COUNT', 16)
    for _, entry in ipairs(found) do
      if log.read <= keep_bytes or entry[1] == log.run .. '-' .. digits(log.last) then
        return
      end
      redis.call('XDEL', log.key, entry[1])
      log.read, log.stored = log.read - tonumber(entry[2][4]) - EXTRA, log.stored - #entry[2][6] - EXTRA
    end
    if #found == 0 then
      return
    end
  end
end

-- It counts as the job's own bytes: waiting, running and kept.
local function account(K, id, log)
  local more = log.stored - log.before
  redis.call('HSET', K.job .. id, 'log',
    table.concat({ log.run, digits(log.last), digits(log.head), digits(log.read), digits(log.stored) }, ' '))
  redis.call('HINCRBY', K.job .. id, 'bytes', digits(more))
  redis.call('HINCRBY', K.counters, 'queued_bytes', digits(more))
end
