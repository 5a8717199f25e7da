#!lua flags=allow-oom
-- settle: ends an attempt: completed, skipped, failed for good, failed with a retry, or given back.
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
--   4 by         holder (the worker), claim (a coordinator that saw its worker end, or could not launch one), or unheld
--                (a coordinator that cannot tell whether its worker lives: only while nobody holds the lease)
--   5 id         the holder's or the claim's
--   6 fence      the holder's; '' for a claim
--   7 outcome    completed, skipped, failed, error (uses an attempt), returned (five times for nothing)
--   8 reason     skipped: of the closed list; else a sentence, or ''
--   9 wait       error: milliseconds before the next attempt
--  10 result     JSON, or ''
--  11 blob       the key that holds the result instead, or ''
-- Returns
--   {1, status}  settled; the task is now completed, skipped, failed or ready
--   {0, status}  settled before by this holder or claim
--   {-1}         no such run
--   {-3, until}  unheld: the claim's worker has started, and its lease lives until then
--   {-5}         the lease is somebody else's now
--   {-6}         the task has ended otherwise
-- Events: those of ending and retry
local RUN, STATUS, DUE, DEADLINES, GRAPH, EVENTS, TASK = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local prefix, run, task, by, id, fence = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local outcome, reason, wait, result, blob = ARGV[7], ARGV[8], tonumber(ARGV[9]), ARGV[10], ARGV[11]
-- @include emit
-- @include state
-- @include lease
-- @include guard
-- @include ending
-- @include retry
local settled = by .. '/' .. id .. '/' .. fence
local stored = redis.call('HMGET', TASK, 'run', 'settled', 'settledAs', 'claim')
if stored[1] == run and stored[2] == settled and is_current() then return { 0, stored[3] } end
if by == 'holder' then
  local code = refusal(id, fence)
  if code then return { code } end
else
  if not is_current() or stored[1] ~= run then return { -1 } end
  local word = status_of(task)
  if has_ended(word) then return { -6 } end
  if stored[4] ~= id or (word ~= 'claimed' and word ~= 'in_progress') then return { -5 } end
  local due = due_of()
  if by == 'unheld' and word == 'in_progress' and due > now then return { -3, due } end
end

local now_is = outcome
if outcome == 'error' or outcome == 'returned' then
  now_is = back_to_ready(entry_of(task), reason, outcome, wait)
else
  redis.call('HSET', TASK, 'result', result, 'blob', blob, 'reason', reason, 'endedAt', now)
  end_task(task, outcome, reason ~= '' and reason or nil)
end
redis.call('HSET', TASK, 'settled', settled, 'settledAs', now_is)
redis.call('HDEL', TASK, 'holder')
return { 1, now_is }
