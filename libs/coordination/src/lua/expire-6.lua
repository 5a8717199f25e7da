#!lua flags=allow-oom
-- expire: ends what is past its deadline, and the run past its own. Any replica, every second.
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
--   3 blocked    JSON list of tasks under a lock that is not Larry's: these are skipped(foreign-lock)
-- Returns
--   {1, n}       n tasks were ended by this call (their dependents not counted)
--   {-1}         no such run, or it has ended
-- Events: those of ending
local RUN, STATUS, DUE, DEADLINES, GRAPH, EVENTS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local prefix, run, blocked = ARGV[1], ARGV[2], {}
for _, task in ipairs(cjson.decode(ARGV[3])) do blocked[task] = true end
-- @include emit
-- @include state
-- @include ending
if not is_current() or redis.call('HGET', RUN, 'status') ~= 'running' then return { -1 } end

-- The clock was set back: every moment that was computed with the old one moves along.
local function move_back(ms)
  for _, key in ipairs({ DUE, DEADLINES }) do
    for _, task in ipairs(redis.call('ZRANGE', key, 0, -1)) do redis.call('ZINCRBY', key, -ms, task) end
  end
  redis.call('HSET', RUN, 'deadline', whole(tonumber(redis.call('HGET', RUN, 'deadline')) - ms))
end
local clock = tonumber(redis.call('HGET', RUN, 'clock'))
if clock - now > 1000 then move_back(clock - now) end
redis.call('HSET', RUN, 'clock', now)

local ended = 0
local function skip(task)
  if has_ended(status_of(task)) then return end
  -- Something of it is in effect: its worker sees to that, as if it had been denied.
  if status_of(task) == 'awaiting_approval' and redis.call('HGET', STATUS, task .. '/begun') then
    approval_ends()
    redis.call('HSET', STATUS, task .. '/begun', 'unanswered')
    return make_ready(task, entry_of(task))
  end
  local untouched = status_of(task) == 'ready'
  end_task(task, 'skipped', untouched and blocked[task] and 'foreign-lock' or 'timed-out')
  ended = ended + 1
end
for _, task in ipairs(redis.call('ZRANGEBYSCORE', DEADLINES, '-inf', now, 'LIMIT', 0, 200)) do skip(task) end

-- The run's own deadline ends every phase; what happened is still put together, under converge's own limit.
local field = redis.call('HMGET', RUN, 'deadline', 'waiting', 'converge')
if tonumber(field[1]) <= now and field[2] == '0' then
  for _, task in ipairs(redis.call('HKEYS', GRAPH)) do
    if task ~= field[3] then skip(task) end
  end
end
return { 1, ended }
