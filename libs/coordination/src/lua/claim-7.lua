#!lua
-- claim: takes a task that is ready, or whose lease has lapsed. The second of two steps: the caller holds task:lock.
-- KEYS
--   1 RUN        {larry}:run
--   2 STATUS     {larry}:status
--   3 DUE        {larry}:due
--   4 DEADLINES  {larry}:deadlines
--   5 GRAPH      {larry}:graph
--   6 EVENTS     {larry}:events
--   7 TASK       {larry}:task:<task>
-- ARGV
--   1 prefix     goes before channels
--   2 run
--   3 task
--   4 larry      the claiming Larry
--   5 claim      the caller's id: the same again gets the same fence
--   6 ttl        of the lease, milliseconds
-- Returns
--   {1, fence, until, attempt}   claimed
--   {0, fence, until, attempt}   claimed before by this claim
--   {-1}         no such run, or it has ended
--   {-2}         not ready: it waits for other tasks or for a person
--   {-3, until}  held by another claim until then
--   {-4, until}  waits until then before its next attempt
--   {-5}         this claim was used and given back: a claim is used once
--   {-6}         the task has ended
--   {-7}         the plan has no such task
--   {-8}         this claim's worker has started
--   {-12}        the task is another Larry's
-- Events: phase_started, task_claimed, those of ending and retry
local RUN, STATUS, DUE, DEADLINES, GRAPH, EVENTS, TASK = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local prefix, run, task, larry, claim, ttl = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
-- @include emit
-- @include state
-- @include lease
-- @include ending
-- @include retry
if not is_current() or redis.call('HGET', RUN, 'status') ~= 'running' then return { -1 } end
local word = status_of(task)
if not word then return { -7 } end
if has_ended(word) then return { -6 } end
local entry = entry_of(task)
if entry.larry ~= larry then return { -12 } end

local stored = redis.call('HMGET', TASK, 'run', 'claim', 'fence')
if stored[1] == run and stored[2] == claim then
  if word == 'claimed' then return { 0, stored[3], due_of(), attempt_of(task) } end
  return { word == 'in_progress' and -8 or -5 }
end
if word == 'pending' or word == 'awaiting_approval' then return { -2 } end
local due = due_of()
if due > now then return { word == 'ready' and -4 or -3, due } end

if stored[1] ~= run then
  redis.call('DEL', TASK)
  redis.call('HSET', TASK, 'run', run, 'fence', stored[3] or '0')
end
if word ~= 'ready' and back_to_ready(entry, 'the lease lapsed: the worker or its coordinator is gone', 'lapsed', 0) == 'failed' then
  return { -6 }
end
local fence = next_fence()
local attempt = redis.call('HINCRBY', STATUS, task .. '/attempt', 1)
redis.call('HSET', TASK, 'claim', claim, 'larry', larry)
redis.call('HDEL', TASK, 'holder', 'settled')
redis.call('HDEL', STATUS, task .. '/conflict')
redis.call('HSET', STATUS, task, 'claimed')
keep_times(task, times_of(task) or now, now)
if not entry.converge and redis.call('HSETNX', RUN, 'started:' .. larry, now) == 1 then
  say('larry:coordination', larry .. '/1', { event = 'phase_started', from = larry })
end
say_task('task_claimed', task, larry)
return { 1, fence, lease_for(ttl), attempt }
