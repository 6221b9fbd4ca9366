-- fence: who may speak for a job. The run's number and nonce in one text, dropped when the job is taken away.
-- The third to the seventh field are what its end is made of, see lib/ending.lua.
local function holds(K, id, fence)
  local job = redis.call('HMGET', K.job .. id, 'status', 'fence', 'type', 'progress', 'receivers', 'bytes', 'latest')
  return job[1] == 'processing' and job[2] == fence, job
end
