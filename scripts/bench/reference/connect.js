// Connections to the Redis that is measured on. BullMQ wants its commands to be tried for ever.
const IORedis = require('ioredis')

exports.connect = () => new IORedis(Number(process.env.REDIS_PORT), '127.0.0.1', { maxRetriesPerRequest: null })
