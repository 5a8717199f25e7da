#!lua flags=no-writes
-- snapshot: everything about the run at one moment, in one read.
-- KEYS
--   1 RUN        {larry}:run
--   2 STATUS     {larry}:status
--   3 DUE        {larry}:due
--   4 DEADLINES  {larry}:deadlines
-- ARGV
-- Returns
--   {1, now, run, status, due, deadlines}   flat lists of field and value
--   {-1}         there is no run
-- Events: none
local RUN, STATUS, DUE, DEADLINES = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
-- @include emit
local run = redis.call('HGETALL', RUN)
if #run == 0 then return { -1 } end
return { 1, time_ms(), run, redis.call('HGETALL', STATUS), redis.call('ZRANGE', DUE, 0, -1, 'WITHSCORES'),
  redis.call('ZRANGE', DEADLINES, 0, -1, 'WITHSCORES') }
