#!lua flags=allow-oom
-- park: the worker has a plan that a person must allow; it ends, and the task waits without a lease.
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
--   4 holder
--   5 fence
--   6 digest     of the change and of what was observed: an approval is for this and nothing else
--   7 request    JSON that is shown to the person
--   8 changes    JSON list of the digests that may each be decided by itself, or ''
--   9 begun      1 where something of the task is in effect: the worker is asked back whatever is decided, or ''
-- Returns
--   {1}          parked
--   {0}          parked before by this holder
--   {-1}         no such run
--   {-5}         the lease is somebody else's now
--   {-6}         the task has ended
-- Events: approval_requested
local RUN, STATUS, DUE, DEADLINES, GRAPH, EVENTS, TASK = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local prefix, run, task, holder, fence, digest, request = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local changes, begun = ARGV[8], ARGV[9]
-- @include emit
-- @include state
-- @include guard
-- @include ending
local settled = 'park/' .. holder .. '/' .. fence
if redis.call('HGET', TASK, 'settled') == settled and is_current() then return { 0 } end
local code = refusal(holder, fence)
if code then return { code } end
redis.call('HSET', STATUS, task, 'awaiting_approval')
redis.call('ZREM', DUE, task)
redis.call('ZADD', DEADLINES, now + tonumber(redis.call('HGET', RUN, 'approvalLimit')), task)
redis.call('HSET', TASK, 'settled', settled, 'digest', digest, 'request', request, 'changes', changes)
redis.call('HDEL', TASK, 'holder', 'approval', 'decided')
if begun == '' then redis.call('HDEL', STATUS, task .. '/begun') else redis.call('HSET', STATUS, task .. '/begun', begun) end
-- What was denied stays so, unless it is asked for again; what was granted is made by now, or not wanted any more.
local kept, some = {}, false
for change, verdict in pairs(cjson.decode(redis.call('HGET', TASK, 'verdicts') or '{}')) do
  if verdict.decision == 'denied' and not changes:find(change, 1, true) then kept[change], some = verdict, true end
end
if some then redis.call('HSET', TASK, 'verdicts', cjson.encode(kept)) else redis.call('HDEL', TASK, 'verdicts') end
approval_begins()
local first, claimed, started = times_of(task)
keep_times(task, first or now, claimed or now, started or now, now)
local attempt = attempt_of(task)
say('larry:coordination', task .. '/' .. attempt, with_times(task,
  { event = 'approval_requested', from = entry_of(task).larry, task_id = task, attempt = attempt, digest = digest }))
return { 1 }
