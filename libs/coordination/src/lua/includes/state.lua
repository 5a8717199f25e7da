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

-- When a task was claimed first, when its present attempt was claimed, when that one's worker started, and since when a
-- person is asked; what was not is nil.
local function times_of(task)
  local times = {}
  for ms in (redis.call('HGET', STATUS, task .. '/times') or ''):gmatch('%d+') do times[#times + 1] = tonumber(ms) end
  return unpack(times)
end

local function keep_times(task, ...)
  redis.call('HSET', STATUS, task .. '/times', table.concat({ ... }, ' '))
end
