#!lua
-- start: the worker's first act, once per claim. From then on only the worker renews.
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
--   4 claim      from the worker's environment
--   5 holder     the worker's own random id: the same again gets the same fence
--   6 ttl        of the lease, milliseconds
--   7 node       where it runs, or '' when it does not know
-- Returns
--   {1, fence, until, attempt, larry, approval, verdicts, begun}   started; '' or JSON of what was decided as a whole, and by change; begun is `unanswered` where nobody did in time
--   {0, fence, until, attempt, larry, approval, verdicts, begun}   started before by this holder
--   {-1}         no such run
--   {-5}         the claim is not the task's any more
--   {-6}         the task has ended
--   {-11}        another worker has started with this claim
-- Events: convergence_started
local RUN, STATUS, DUE, DEADLINES, GRAPH, EVENTS, TASK = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local prefix, run, task, claim, holder, ttl, node = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6]), ARGV[7]
-- @include emit
-- @include state
-- @include lease
-- @include ending
local stored = redis.call('HMGET', TASK, 'run', 'claim', 'holder', 'fence', 'larry', 'approval', 'verdicts')
if not is_current() or stored[1] ~= run then return { -1 } end
local word = status_of(task)
if has_ended(word) then return { -6 } end
if stored[2] ~= claim then return { -5 } end
if word == 'in_progress' then
  if stored[3] ~= holder then return { -11 } end
  return { 0, stored[4], due_of(), attempt_of(task), stored[5], stored[6] or '', stored[7] or '', redis.call('HGET', STATUS, task .. '/begun') or '' }
end
if word ~= 'claimed' then return { -5 } end
local fence = next_fence()
redis.call('HSET', TASK, 'holder', holder, 'startedAt', now)
redis.call('HDEL', TASK, 'reason')
redis.call('HSET', STATUS, task, 'in_progress')
local first, claimed = times_of(task)
keep_times(task, first or now, claimed or now, now)
if node == '' then redis.call('HDEL', STATUS, task .. '/node') else redis.call('HSET', STATUS, task .. '/node', node) end
if entry_of(task).converge then
  say('larry:coordination', run .. '/' .. attempt_of(task), { event = 'convergence_started', from = stored[5] })
end
return { 1, fence, lease_for(ttl), attempt_of(task), stored[5], stored[6] or '', stored[7] or '', redis.call('HGET', STATUS, task .. '/begun') or '' }
