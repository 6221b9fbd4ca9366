-- members: in `pending` a job has the number of its submission before its id: equals in score come in that order.
local function member_of(order, id)
  return string.format('%012d', order) .. ':' .. id
end
