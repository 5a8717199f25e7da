#!lua
-- conflict: says once per owner that a task is under another's lock.
-- KEYS
--   1 RUN        {larry}:run
--   2 STATUS     {larry}:status
--   3 EVENTS     {larry}:events
-- ARGV
--   1 prefix     goes before channels
--   2 run
--   3 task
--   4 larry      who wanted it
--   5 owner      who has it: what stands before # in the lock
-- Returns
--   {1}          said
--   {0}          said before
--   {-1}         no such run
-- Events: task_conflict
local RUN, STATUS, EVENTS = KEYS[1], KEYS[2], KEYS[3]
local prefix, run, task, larry, owner = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
-- @include emit
-- @include state
if not is_current() then return { -1 } end
if redis.call('HGET', STATUS, task .. '/conflict') == owner then return { 0 } end
redis.call('HSET', STATUS, task .. '/conflict', owner)
emit(EVENTS, prefix, now, 'larry:coordination', { id = task .. '/' .. attempt_of(task) .. '/task_conflict/' .. owner,
  event = 'task_conflict', from = larry, run = run, task_id = task, owner = owner })
return { 1 }
