"""The adapter to Redis: queue state in sorted sets, one Lua script a command. Nobody else imports `redis`."""
