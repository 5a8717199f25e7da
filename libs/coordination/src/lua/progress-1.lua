#!lua
-- progress: a phase's progress never goes down within a run.
-- KEYS
--   1 VIEW       phase:<larry>:progress
-- ARGV
--   1 percent    whole, 0 to 100
-- Returns
--   {1}          written
--   {0}          it stood there, or more
-- Events: none
local VIEW = KEYS[1]
local percent = tonumber(ARGV[1])
-- An operator may have put anything there.
local stands = redis.call('TYPE', VIEW).ok == 'string' and tonumber(redis.call('GET', VIEW)) or nil
if stands and stands >= percent and stands <= 100 then return { 0 } end
redis.call('SET', VIEW, percent)
return { 1 }
