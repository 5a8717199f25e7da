-- Needs the locals RUN, STATUS, run and (for lease_of) DUE. Status words: docs/protocol.md, A task's life; a skipped
-- task's word is followed by its reason, `skipped:denied`.
local now = time_ms()

local function is_current()
  return redis.call('HGET', RUN, 'id') == run
end

local function status_of(task)
  local value = redis.call('HGET', STATUS, task)
  if not value then return nil end
  return value:match('^[^:]+')
end

local function has_ended(word)
  return word == 'completed' or word == 'failed' or word == 'skipped'
end

local function attempt_of(task)
  return tonumber(redis.call('HGET', STATUS, task .. '/attempt') or '0')
end
