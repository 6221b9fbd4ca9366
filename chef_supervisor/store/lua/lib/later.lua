-- later: what many items have in common is gathered while they are done, one by one, and written once. It is written as
-- well where one of them breaks off: an error undoes nothing of what was written before it.
local later, numbers

local function forget_later()
  later = { counts = {}, fields = {}, gone = {}, scores = {}, unlinked = {} }
end
forget_later()
numbers = {}

local function list_of(lists, key)
  local list = lists[key] or {}
  lists[key] = list
  return list, #list
end

local function count_later(name, by)
  later.counts[name] = (later.counts[name] or 0) + by
end

local function set_later(key, field, value)
  later.fields[key] = later.fields[key] or {}
  later.fields[key][field] = value
end

local function remove_later(zset, member)
  local list, many = list_of(later.gone, zset)
  list[many + 1] = member
end

local function put_later(zset, score, member)
  local list, many = list_of(later.scores, zset)
  list[many + 1], list[many + 2] = score, member
end

local function unlink_later(key)
  later.unlinked[#later.unlinked + 1] = key
end

-- The next of a row of numbers without holes.
local function next_number(K, name)
  numbers[name] = (numbers[name] or tonumber(redis.call('HGET', K.counters, name) or 0)) + 1
  set_later(K.counters, name, digits(numbers[name]))
  return numbers[name]
end

local function write_later(K)
  for name, by in pairs(later.counts) do
    redis.call('HINCRBY', K.counters, name, digits(by))
  end
  for key, values in pairs(later.fields) do
    local flat = {}
    for field, value in pairs(values) do
      flat[#flat + 1], flat[#flat + 2] = field, value
    end
    redis.call('HSET', key, unpack(flat))
  end
  for zset, members in pairs(later.gone) do
    redis.call('ZREM', zset, unpack(members))
  end
  for zset, members in pairs(later.scores) do
    redis.call('ZADD', zset, unpack(members))
  end
  if #later.unlinked > 0 then
    redis.call('UNLINK', unpack(later.unlinked))
  end
  forget_later()
end

-- Returns the answers of `use`, which is given the place of each item's first argument.
local function each_item(K, first, width, use)
  local answers = {}
  local fine, fault = pcall(function()
    for i = first, #ARGV, width do
      answers[#answers + 1] = use(i)
    end
  end)
  write_later(K)
  return fine and answers or error(fault, 0)
end
