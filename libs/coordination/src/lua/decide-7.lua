#!lua
-- decide: a person allows or denies what a task is parked for.
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
--   4 digest     must be the one that the task is parked for
--   5 decision   granted or denied
--   6 who
--   7 proof      opaque: a signature that Redis cannot make
-- Returns
--   {1}          decided
--   {0}          decided so before
--   {-1}         no such run
--   {-6}         the task has ended otherwise
--   {-9}         it is not parked for this digest
--   {-13, decision}  decided otherwise before
-- Events: approval_granted, approval_denied, those of ending
local RUN, STATUS, DUE, DEADLINES, GRAPH, EVENTS, TASK = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local prefix, run, task, digest, decision, who, proof = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
-- @include emit
-- @include state
-- @include ending
local stored = redis.call('HMGET', TASK, 'run', 'digest', 'decided')
if not is_current() or stored[1] ~= run then return { -1 } end
if stored[2] == digest and stored[3] then
  if stored[3] == decision then return { 0 } end
  return { -13, stored[3] }
end
local word = status_of(task)
if has_ended(word) then return { -6 } end
if word ~= 'awaiting_approval' or stored[2] ~= digest then return { -9 } end
local entry, attempt = entry_of(task), attempt_of(task)
redis.call('HSET', TASK, 'decided', decision)
local _, _, _, asked = times_of(task)
say('larry:coordination', task .. '/' .. attempt, { event = decision == 'granted' and 'approval_granted' or 'approval_denied',
  from = entry.larry, task_id = task, attempt = attempt, digest = digest, who = who,
  requested_at = asked and iso(asked) })
redis.call('HSET', TASK, 'approval', cjson.encode({ digest = digest, who = who, proof = proof, at = iso(now) }))
if decision == 'granted' then
  approval_ends()
  redis.call('HSET', STATUS, task, 'ready')
  redis.call('ZADD', DEADLINES, now + entry.limit, task)
else
  redis.call('HSET', TASK, 'reason', 'denied', 'endedAt', now)
  end_task(task, 'skipped', 'denied')
end
return { 1 }
