#!lua
-- intent: says what will be changed before it is. Writes on a repetition as well, so that WAIT can follow it.
-- KEYS
--   1 RUN        {larry}:run
--   2 STATUS     {larry}:status
--   3 TASK       {larry}:task:<task>
--   4 JOURNAL    {larry}:journal:<run>:<task>
--   5 RECORDED   {larry}:keys
-- ARGV
--   1 run
--   2 task
--   3 holder
--   4 fence
--   5 change     <run>/<task>/<step>, the same in every attempt
--   6 intent     JSON: pre-image, wanted state
-- Returns
--   {1}          written; in the place of one whose outcome says that it may be repeated
--   {0, intent, outcome}   written before, by this attempt or an earlier one; outcome '' while it is open
--   {-1}         no such run
--   {-5}         the lease is somebody else's now
--   {-6}         the task has ended
-- Events: none
local RUN, STATUS, TASK, JOURNAL, RECORDED = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local run, task, holder, fence, change, intent = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
-- @include emit
-- @include state
-- @include guard
local code = refusal(holder, fence)
if code then return { code } end
local before = redis.call('HGET', JOURNAL, change)
local outcome = redis.call('HGET', JOURNAL, change .. '#outcome')
if outcome then
  local said = cjson.decode(outcome)
  if type(said) == 'table' and said.repeatable == true then
    redis.call('HDEL', JOURNAL, change .. '#outcome')
    before = nil
  end
end
redis.call('HSET', JOURNAL, change, before or intent)
redis.call('SADD', RECORDED, JOURNAL)
if before then return { 0, before, outcome or '' } end
return { 1 }
