#!lua flags=allow-oom
-- relock: makes our own task:lock longer.
-- KEYS
--   1 LOCK       task:lock:<task>
-- ARGV
--   1 value      <larry>#<claim>
--   2 ttl        milliseconds
-- Returns
--   {1}          renewed
--   {0}          the lock is gone
--   {-3, value}  the lock is somebody else's
-- Events: none
local LOCK = KEYS[1]
local value, ttl = ARGV[1], ARGV[2]
local stands = redis.call('GET', LOCK)
if not stands then return { 0 } end
if stands ~= value then return { -3, stands } end
redis.call('PEXPIRE', LOCK, ttl)
return { 1 }
