-- claiming: what is read of a job, and what is told of it to whoever claims it.
local SCHEMA = 2
-- Larger ones their claimers read by themselves.
local MAX_PAYLOAD = 65536

local function job_of(K, id)
  return redis.pcall('HMGET', K.job .. id, 'type', 'tenant', 'claims', 'runs', 'created', 'failures', 'options',
    'progress', 'fence', 'schema', 'bytes', 'log', 'receivers')
end

local function told(id, job, run, runs)
  return { id, job[1], job[2], run, runs, tonumber(job[6] or 0), job[7] or '', job[5], false }
end

-- What its claim makes the claimer read. Its log is not.
local function weight_of(job)
  return (tonumber(job[11] or 0) or 0) - (job[12] and tonumber(string.match(job[12], ' (%d+)$')) or 0)
end

-- `small`: the places in `jobs` of those whose payloads go with them.
local function add_payloads(K, jobs, small)
  local keys = {}
  for index, place in ipairs(small) do
    keys[index] = K.payload .. jobs[place][1]
  end
  local payloads = #keys > 0 and redis.call('MGET', unpack(keys)) or {}
  for index, place in ipairs(small) do
    jobs[place][9] = payloads[index]
  end
  return jobs
end

local function is_newer(job)
  return (tonumber(job[10] or SCHEMA) or SCHEMA) > SCHEMA
end

local function is_readable(job)
  return not job.err and job[1] and job[2] and job[5]
    and tonumber(job[3] or 0) and tonumber(job[4] or 0) and tonumber(job[6] or 0)
end

-- The reply to a claim was lost: what it took, as far as it is still its own.
local function told_again(K, nonce, ids)
  local jobs, small = {}, {}
  for id in string.gmatch(ids, '%S+') do
    local job = job_of(K, id)
    if job[9] and job[9] == job[3] .. ':' .. nonce then
      jobs[#jobs + 1] = told(id, job, tonumber(job[3]), tonumber(job[4]))
      small[#small + 1] = weight_of(job) <= MAX_PAYLOAD and #jobs or nil
    end
  end
  return add_payloads(K, jobs, small)
end
