#!lua flags=allow-oom
-- unlock: removes task:lock where it is our own.
-- KEYS
--   1 LOCK       task:lock:<task>
-- ARGV
--   1 value      <larry>#<claim>
-- Returns
--   {1}          removed
--   {0}          it was not there, or not ours
-- Events: none
local LOCK = KEYS[1]
local value = ARGV[1]
if redis.call('GET', LOCK) ~= value then return { 0 } end
redis.call('DEL', LOCK)
return { 1 }
