-- claiming: what is read of a job, and what is told of it to whoever claims it.
local SCHEMA = 1

local function job_of(K, id)
  return redis.pcall('HMGET', K.job .. id, 'type', 'tenant', 'claims', 'runs', 'created', 'payload', 'failures',
    'options', 'progress', 'fence', 'schema', 'bytes', 'log')
end

local function told(id, job, run, runs)
  return { id, job[1], job[2], run, runs, tonumber(job[7] or 0), job[8] or '', job[5], job[6] }
end

-- What its claim makes the claimer read, be it of the hash or under a key of its own. Its log is not.
local function weight_of(job)
  return (tonumber(job[12] or 0) or 0) - tonumber(string.match(job[13] or '', ' (%d+)$') or 0)
end

local function is_newer(job)
  return (tonumber(job[11] or SCHEMA) or SCHEMA) > SCHEMA
end

local function is_readable(job)
  return not job.err and job[1] and job[2] and job[5]
    and tonumber(job[3] or 0) and tonumber(job[4] or 0) and tonumber(job[7] or 0)
end

-- The reply to a claim was lost: what it took, as far as it is still its own.
local function told_again(K, nonce, ids)
  local jobs = {}
  for id in string.gmatch(ids, '%S+') do
    local job = job_of(K, id)
    if job[10] and job[10] == job[3] .. ':' .. nonce then
      jobs[#jobs + 1] = told(id, job, tonumber(job[3]), tonumber(job[4]))
    end
  end
  return jobs
end
