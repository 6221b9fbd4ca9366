-- shelves: the sets of ended jobs, looked through from the oldest on.

-- Goes on to the next, oldest first. They are read some at a time: the first to see whether there is anything to do.
local function look(shelf)
  shelf.place = shelf.place + 2
  if not shelf.heads[shelf.place] then
    shelf.heads = redis.call('ZRANGE', shelf.zset, shelf.looked, shelf.looked + shelf.many - 1, 'WITHSCORES')
    shelf.place, shelf.looked, shelf.many = 1, shelf.looked + shelf.many, 32
  end
  shelf.id, shelf.at = shelf.heads[shelf.place], tonumber(shelf.heads[shelf.place + 1])
  return shelf
end

local function shelf_of(zset)
  return look({ zset = zset, count = redis.call('ZCARD', zset), heads = {}, place = 0, looked = 0, many = 1 })
end

local function oldest_of(shelves, is_over)
  local pick
  for _, shelf in ipairs(shelves) do
    if shelf.id and is_over(shelf) and (not pick or shelf.at < pick.at) then
      pick = shelf
    end
  end
  return pick
end
