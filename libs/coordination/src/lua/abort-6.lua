#!lua flags=allow-oom
-- abort: ends every task that has not ended as skipped(aborted), and the run.
-- KEYS
--   1 RUN        {larry}:run
--   2 STATUS     {larry}:status
--   3 DUE        {larry}:due
--   4 DEADLINES  {larry}:deadlines
--   5 GRAPH      {larry}:graph
--   6 EVENTS     {larry}:events
-- ARGV
--   1 prefix     goes before channels
--   2 run
--   3 who
--   4 reset      '1': the run's keys will be removed next, and no other run may begin before that
-- Returns
--   {1, until}   aborted; no lease lives after that moment
--   {0, until}   the run had ended
--   {-1}         no such run
-- Events: those of ending
local RUN, STATUS, DUE, DEADLINES, GRAPH, EVENTS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local prefix, run, who, reset = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
-- @include emit
-- @include state
-- @include ending
if not is_current() then return { -1 } end
local function make_way()
  if reset == '1' then redis.call('HSET', RUN, 'status', 'resetting') end
end
if redis.call('HGET', RUN, 'status') ~= 'running' then
  make_way()
  return { 0, tonumber(redis.call('HGET', RUN, 'leasedUntil') or '0') }
end
local leased_until = 0
for _, task in ipairs(redis.call('ZRANGE', DUE, 0, -1)) do
  local word = status_of(task)
  if word == 'claimed' or word == 'in_progress' then
    leased_until = math.max(leased_until, tonumber(redis.call('ZSCORE', DUE, task)))
  end
end
redis.call('HSET', RUN, 'abortedBy', who, 'leasedUntil', whole(leased_until))
local converge = redis.call('HGET', RUN, 'converge')
for _, task in ipairs(redis.call('HKEYS', GRAPH)) do
  if task ~= converge then end_task(task, 'skipped', 'aborted') end
end
end_task(converge, 'skipped', 'aborted')
make_way()
return { 1, leased_until }
