#!lua
-- create: begins a run, one at a time under a prefix.
-- KEYS
--   1 RUN        {larry}:run
--   2 STATUS     {larry}:status
--   3 DUE        {larry}:due
--   4 DEADLINES  {larry}:deadlines
--   5 GRAPH      {larry}:graph
--   6 EVENTS     {larry}:events
--   7 RECORDED   {larry}:keys
-- ARGV
--   1 prefix     goes before channels
--   2 run        the caller's id: the same again is the same run
--   3 spec       JSON: mode, planHash, deadlineMs, approvalLimitMs, phases, converge, tasks
-- Returns
--   {1}          created
--   {0}          this run exists already
--   {-10, run}   another run has not ended (or is being reset)
-- Events: none
local RUN, STATUS, DUE, DEADLINES, GRAPH, EVENTS, RECORDED = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local prefix, run = ARGV[1], ARGV[2]
-- @include emit
-- @include state
-- @include ending
if is_current() then return { 0 } end
local before = redis.call('HMGET', RUN, 'id', 'status')
if before[2] == 'running' or before[2] == 'resetting' then return { -10, before[1] } end

local spec = cjson.decode(ARGV[3])
redis.call('DEL', RUN, STATUS, DUE, DEADLINES, GRAPH)
redis.call('SADD', RECORDED, RUN, STATUS, DUE, DEADLINES, GRAPH, EVENTS, RECORDED)
redis.call('HSET', RUN, 'id', run, 'status', 'running', 'mode', spec.mode, 'planHash', spec.planHash,
  'createdAt', now, 'clock', now, 'deadline', whole(now + spec.deadlineMs), 'approvalLimit', spec.approvalLimitMs,
  'phases', cjson.encode(spec.phases), 'phasesOpen', #spec.phases, 'waiting', 0,
  'converge', spec.converge, 'convergeLarry', spec.convergeLarry)
for _, entry in ipairs(spec.tasks) do
  redis.call('HSET', GRAPH, entry.id, cjson.encode(entry))
  redis.call('HSET', STATUS, entry.id, 'pending')
  if not entry.converge then
    redis.call('HINCRBY', RUN, 'open:' .. entry.larry, 1)
    redis.call('HINCRBY', RUN, 'total:' .. entry.larry, 1)
  end
end
for _, entry in ipairs(spec.tasks) do
  if not entry.converge and verdict_on(entry) == 'ready' then make_ready(entry.id, entry) end
end
converge_if_phases_ended()
return { 1 }
