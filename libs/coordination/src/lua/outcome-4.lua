#!lua flags=allow-oom
-- outcome: says what a change came to. Writes on a repetition as well, so that WAIT can follow it.
-- KEYS
--   1 RUN        {larry}:run
--   2 STATUS     {larry}:status
--   3 TASK       {larry}:task:<task>
--   4 JOURNAL    {larry}:journal:<run>:<task>
-- ARGV
--   1 run
--   2 task
--   3 holder
--   4 fence
--   5 change
--   6 outcome    JSON
-- Returns
--   {1}          written; a later outcome of the same change replaces it
--   {-1}         no such run
--   {-5}         the lease is somebody else's now
--   {-6}         the task has ended
--   {-14}        there is no intent for this change
-- Events: none
local RUN, STATUS, TASK, JOURNAL = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local run, task, holder, fence, change, outcome = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
-- @include emit
-- @include state
-- @include guard
local code = refusal(holder, fence)
if code then return { code } end
if redis.call('HEXISTS', JOURNAL, change) == 0 then return { -14 } end
redis.call('HSET', JOURNAL, change .. '#outcome', outcome)
return { 1 }
