-- log: append to the logs of running jobs; the first bytes and the last ones of each are kept. Again, it adds nothing.
-- KEYS  1 job:  2 log:  3 counters
-- ARGV  1 now_ms (nobody asks)  2 keep_bytes (of one log)  3 keep_ms (a log that nobody ends or trims)
-- EACH  1 id  2 fence  3 pieces (of each: "<end> <length> <bytes of the step's name> <bytes>\n", the name, the bytes)
-- RETURNS one code per job.
-- CODES 1 done  0 fenced
-- USES clock fence logging
-- COST  O(log n) a piece; drops about as many
local K = { job = KEYS[1], log = KEYS[2], counters = KEYS[3] }
local keep_bytes, keep_ms = tonumber(ARGV[2]), ARGV[3]
local DONE, FENCED = 1, 0

local function append(id, fence, pieces)
  local log = log_of(K, id, string.match(fence, '^(%d+):'))
  each_piece(pieces, function(stop, length, step, content)
    add_piece(log, stop, length, step, content, keep_bytes)
  end)
  -- Not before: memory is checked at the first write only, so this must be one that is refused when memory is full.
  drop_other_runs(log)
  drop_middle(log, keep_bytes)
  redis.call('PEXPIRE', log.key, keep_ms)
  account(K, id, log)
end

local answers = {}
for i = 4, #ARGV, 3 do
  local ours = holds(K, ARGV[i], ARGV[i + 1])
  if ours then
    append(ARGV[i], ARGV[i + 1], ARGV[i + 2])
  end
  answers[#answers + 1] = ours and DONE or FENCED
end
return answers
