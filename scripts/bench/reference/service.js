// The four endpoints on Express and BullMQ: what the service is measured against.
//
// Environment: REDIS_PORT, PORT, CONCURRENCY (0: no workers, only the API). The workers do nothing with a job.
// Says "ready" once it listens.
const cors = require('cors')
const express = require('express')
const { Queue, Worker } = require('bullmq')
const { z } = require('zod')
const { connect } = require('./connect')

const QUEUE_OF = { build: 'builds', test: 'tests', lint: 'lint', analyze: 'lint' }
const KEPT = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 1000 },
  removeOnComplete: { count: 100000 },
  removeOnFail: { count: 1000 }
}
const concurrency = Number(process.env.CONCURRENCY)

const redis = connect()
const queues = new Map()
for (const name of new Set(Object.values(QUEUE_OF))) {
  queues.set(name, new Queue(name, { connection: redis, defaultJobOptions: KEPT }))
  if (concurrency > 0) {
    new Worker(name, async () => ({ ok: true }), { connection: connect(), concurrency }) // eslint-disable-line no-new
  }
}

const Submission = z.object({
  type: z.enum(['build', 'test', 'lint', 'analyze']),
  priority: z.number().int().min(1).max(20).default(5),
  data: z.object({ chatId: z.string(), projectFiles: z.record(z.string()).optional() })
})

async function submit (request, response) {
  const read = Submission.safeParse(request.body)
  if (!read.success) {
    response.status(400).json({ error: read.error })
    return
  }
  const { type, priority, data } = read.data
  const job = await queues.get(QUEUE_OF[type]).add(type, data, { priority })
  response.status(201).json({ jobId: job.id, type, status: 'pending' })
}

async function readJob (request, response) {
  // An id does not say which queue it is of.
  for (const queue of queues.values()) {
    const job = await queue.getJob(request.params.id)
    if (job) {
      response.json({ jobId: job.id, type: job.name, status: await job.getState(), progress: job.progress })
      return
    }
  }
  response.status(404).json({ error: 'not found' })
}

async function readStats (_request, response) {
  const counted = {}
  for (const [name, queue] of queues) {
    counted[name] = await queue.getJobCounts('waiting', 'active', 'completed', 'failed')
  }
  response.json({ queues: counted })
}

async function readHealth (_request, response) {
  await redis.ping()
  response.json({ status: 'healthy', timestamp: new Date().toISOString(), redis: 'connected' })
}

const app = express()
app.use(cors())
app.use(express.json({ limit: '50mb' }))
app.post('/api/jobs', submit)
app.get('/api/jobs/:id', readJob)
app.get('/api/stats', readStats)
app.get('/api/health', readHealth)
app.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('ready'))
