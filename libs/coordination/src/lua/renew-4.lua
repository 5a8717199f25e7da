#!lua flags=allow-oom
-- renew: makes a lease longer; a lapsed one that nobody took as well.
-- KEYS
--   1 RUN        {larry}:run
--   2 STATUS     {larry}:status
--   3 DUE        {larry}:due
--   4 TASK       {larry}:task:<task>
-- ARGV
--   1 run
--   2 task
--   3 by         holder (a worker) or claim (a coordinator whose launch is pending)
--   4 id         the holder's or the claim's
--   5 fence      the holder's; '' for a claim
--   6 ttl        milliseconds from now
-- Returns
--   {1, until}   renewed
--   {-1}         no such run
--   {-5}         the lease is somebody else's now
--   {-6}         the task has ended
--   {-8}         the claim's worker has started: watch it
-- Events: none
local RUN, STATUS, DUE, TASK = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local run, task, by, id, fence, ttl = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
-- @include emit
-- @include state
-- @include lease
-- @include guard
if by == 'holder' then
  local code = refusal(id, fence)
  if code then return { code } end
  return { 1, lease_for(ttl) }
end
local stored = redis.call('HMGET', TASK, 'run', 'claim')
if not is_current() or stored[1] ~= run then return { -1 } end
local word = status_of(task)
if has_ended(word) then return { -6 } end
if stored[2] ~= id then return { -5 } end
if word == 'in_progress' then return { -8 } end
if word ~= 'claimed' then return { -5 } end
return { 1, lease_for(ttl) }
