-- turns: equals in priority take turns between tenants. Lower scores run first.
local LANE = 4398046511104 -- 2^42 turns a priority
local turns = {} -- those that are known here, by their fields

-- Turn = max(turn of the priority's last claim, last turn given to the tenant + 1). A tenant that is alone sees FIFO;
-- one that comes late starts where the others are, not behind all they have waiting.
local function give_turn(K, priority, tenant)
  local claimed, last = 'p:' .. priority, 't:' .. priority .. ':' .. tenant
  if not turns[last] then
    local known = redis.call('HMGET', K.turns, claimed, last)
    turns[claimed], turns[last] = tonumber(known[1] or 0), tonumber(known[2] or -1)
  end
  turns[last] = math.max(turns[claimed], turns[last] + 1)
  set_later(K.turns, last, digits(turns[last]))
  return digits((20 - priority) * LANE + turns[last])
end

-- What was claimed last, priority by priority. A job that was put back has an old turn, which takes nothing back.
local function raise_turns(K, lanes)
  for priority, turn in pairs(lanes) do
    if turn > tonumber(redis.call('HGET', K.turns, 'p:' .. priority) or 0) then
      redis.call('HSET', K.turns, 'p:' .. priority, digits(turn))
    end
  end
end
