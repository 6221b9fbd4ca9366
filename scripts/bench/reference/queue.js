// BullMQ by itself. Prints one line of JSON.
//
//   node queue.js pass JOBS CONCURRENCY CALLERS   add that many from so many callers, then process them
//   node queue.js fill JOBS                       add that many, and tell what each takes of Redis's memory
//   node queue.js beside WAITING                  process some while so many wait
//
// Environment: REDIS_PORT. Priorities are 1 to 10 in turn; a job carries about 230 bytes and asks for nothing.
const { Queue, Worker } = require('bullmq')
const { connect } = require('./connect')

const NAME = 'bench'
const BULK = 1000
const BESIDE = 10000
const SLOTS = 50
const data = { chatId: 'chat-123', projectFiles: { 'a.js': 'x'.repeat(200) } }
const priorityOf = number => 1 + number % 10

async function perSecond (count, work) {
  const began = process.hrtime.bigint()
  await work()
  return count / (Number(process.hrtime.bigint() - began) / 1e9)
}

async function addFrom (callers, queue, jobs) {
  let added = 0
  const call = async () => {
    while (added < jobs) {
      added += 1
      await queue.add('build', data, { priority: priorityOf(added) })
    }
  }
  await Promise.all(Array.from({ length: callers }, call))
}

function processAll (jobs, concurrency) {
  return new Promise((resolve, reject) => {
    let done = 0
    const worker = new Worker(NAME, async () => {}, { connection: connect(), concurrency })
    worker.on('failed', (_job, error) => reject(error))
    worker.on('completed', () => {
      done += 1
      if (done === jobs) resolve()
    })
  })
}

async function pass (queue, jobs, concurrency, callers) {
  const addedPerS = await perSecond(jobs, () => addFrom(callers, queue, jobs))
  const processedPerS = await perSecond(jobs, () => processAll(jobs, concurrency))
  return { added_per_s: addedPerS, processed_per_s: processedPerS }
}

async function fill (queue, redis, jobs) {
  const usedMemory = async () => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))[1])
  const before = await usedMemory()
  for (let at = 0; at < jobs; at += BULK) {
    const some = Array.from({ length: Math.min(BULK, jobs - at) }, (_, number) => (
      { name: 'build', data, opts: { priority: priorityOf(number) } }
    ))
    await queue.addBulk(some)
  }
  return { bytes_per_job: (await usedMemory() - before) / jobs }
}

async function beside (queue, redis, waiting) {
  await fill(queue, redis, waiting + BESIDE)
  return { processed_per_s: await perSecond(BESIDE, () => processAll(BESIDE, SLOTS)) }
}

async function main () {
  const [what, ...numbers] = process.argv.slice(2)
  const [jobs, concurrency, callers] = numbers.map(Number)
  const redis = connect()
  const queue = new Queue(NAME, { connection: redis, defaultJobOptions: { removeOnComplete: { count: 1000 } } })
  await queue.waitUntilReady()
  const does = {
    pass: () => pass(queue, jobs, concurrency, callers),
    fill: () => fill(queue, redis, jobs),
    beside: () => beside(queue, redis, jobs)
  }
  const told = await does[what]()
  console.log(JSON.stringify(told))
  process.exit(0)
}

main().catch(error => {
  console.error(error)
  process.exit(1)
})
