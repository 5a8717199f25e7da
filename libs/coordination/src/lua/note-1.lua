#!lua
-- note: marks something about a run in its own hash, once.
-- KEYS
--   1 RUN        {larry}:run
-- ARGV
--   1 run
--   2 field
-- Returns
--   {1}          marked
--   {0}          marked before
--   {-1}         no such run
-- Events: none
local RUN = KEYS[1]
local run, field = ARGV[1], ARGV[2]
if redis.call('HGET', RUN, 'id') ~= run then return { -1 } end
return { redis.call('HSETNX', RUN, field, '1') }
