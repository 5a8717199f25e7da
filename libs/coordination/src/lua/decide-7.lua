#!lua
-- decide: a person allows or denies what a task is parked for, or single changes of it.
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
--   8 changes    JSON list of {digest, proof}: the changes that are decided, each by itself; '' for all as a whole
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
local changes = ARGV[8] ~= '' and cjson.decode(ARGV[8]) or nil
-- @include emit
-- @include state
-- @include ending
local stored = redis.call('HMGET', TASK, 'run', 'digest', 'decided', 'changes', 'verdicts')
if not is_current() or stored[1] ~= run then return { -1 } end
local verdicts = cjson.decode(stored[5] or '{}')
-- What of it was decided before, and how: nil where nothing was.
local function decided_before()
  if not changes then return stored[2] == digest and stored[3] or nil end
  local word
  for _, change in ipairs(changes) do
    local before = verdicts[change.digest]
    if not before then return nil end
    word = before.decision
    if word ~= decision then return word end
  end
  return word
end
local before = decided_before()
if before == decision then return { 0 } end
if before then return { -13, before } end
local word = status_of(task)
if has_ended(word) then return { -6 } end
if word ~= 'awaiting_approval' or stored[2] ~= digest then return { -9 } end

-- The changes that may be decided one by one, and whether one of them was.
local apart, one_was = {}, nil
for _, change in ipairs(cjson.decode(stored[4] and stored[4] ~= '' and stored[4] or '[]')) do
  apart[#apart + 1] = change
  apart[change] = true
  one_was = one_was or verdicts[change]
end
if not changes and one_was then return { -13, one_was.decision } end
for _, change in ipairs(changes or {}) do
  if not apart[change.digest] then return { -9 } end
  local other = verdicts[change.digest]
  if other and other.decision ~= decision then return { -13, other.decision } end
end

local entry, attempt = entry_of(task), attempt_of(task)
local _, _, _, asked = times_of(task)
local function tell(name, of)
  say('larry:coordination', name, { event = decision == 'granted' and 'approval_granted' or 'approval_denied',
    from = entry.larry, task_id = task, attempt = attempt, digest = of, who = who, requested_at = asked and iso(asked) })
end
local granted, open = decision == 'granted', false
if changes then
  for _, change in ipairs(changes) do
    if not verdicts[change.digest] then tell(task .. '/' .. attempt .. '/' .. change.digest:sub(1, 12), change.digest) end
    verdicts[change.digest] = { decision = decision, who = who, proof = change.proof, at = iso(now) }
  end
  redis.call('HSET', TASK, 'verdicts', cjson.encode(verdicts))
  for _, change in ipairs(apart) do
    granted = granted or (verdicts[change] and verdicts[change].decision == 'granted')
    open = open or not verdicts[change]
  end
else
  tell(task .. '/' .. attempt, digest)
  redis.call('HSET', TASK, 'approval', cjson.encode({ digest = digest, who = who, proof = proof, at = iso(now) }))
end
if open then return { 1 } end
redis.call('HSET', TASK, 'decided', granted and 'granted' or 'denied')
if granted or redis.call('HGET', STATUS, task .. '/begun') then
  approval_ends()
  make_ready(task, entry)
else
  redis.call('HSET', TASK, 'reason', 'denied', 'endedAt', now)
  end_task(task, 'skipped', 'denied')
end
return { 1 }
