-- allow_oom: what ends or moves work must go through when memory is full. From 7.0 a flag says so; 6.2 checks only the
-- first write of a script, so let that be one that needs no memory.
redis.call('PERSIST', KEYS[1])
