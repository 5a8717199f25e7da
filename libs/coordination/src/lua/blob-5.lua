#!lua flags=allow-oom
-- blob: keeps a result that is too large for the task's hash; written before the settlement that names it.
-- KEYS
--   1 RUN        {larry}:run
--   2 STATUS     {larry}:status
--   3 TASK       {larry}:task:<task>
--   4 BLOB       {larry}:blob:<run>:<task>:<holder>
--   5 RECORDED   {larry}:keys
-- ARGV
--   1 run
--   2 task
--   3 holder
--   4 fence
--   5 value
-- Returns
--   {1}          kept
--   {-1}         no such run
--   {-5}         the lease is somebody else's now
--   {-6}         the task has ended
-- Events: none
local RUN, STATUS, TASK, BLOB, RECORDED = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local run, task, holder, fence, value = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
-- @include emit
-- @include state
-- @include guard
local code = refusal(holder, fence)
if code then return { code } end
redis.call('SADD', RECORDED, BLOB)
redis.call('SET', BLOB, value)
return { 1 }
