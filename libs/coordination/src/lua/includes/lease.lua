-- Needs the locals TASK, DUE, task. A lease's end is the task's score in DUE; `span` is how long it was given for.
-- A clock that was set back must not make a lease longer than it was given.
local function due_of()
  local due = tonumber(redis.call('ZSCORE', DUE, task) or '0')
  local span = tonumber(redis.call('HGET', TASK, 'span') or '0')
  if due > now + span then
    due = now + span
    redis.call('ZADD', DUE, due, task)
  end
  return due
end

local function lease_for(span)
  redis.call('HSET', TASK, 'span', span)
  redis.call('ZADD', DUE, now + span, task)
  return now + span
end

-- Fences only grow, on this server (stored + 1) and over a failover that lost writes (the clock).
local function next_fence()
  local stored = tonumber(redis.call('HGET', TASK, 'fence') or '0')
  local fence = whole(math.max(now, stored + 1))
  redis.call('HSET', TASK, 'fence', fence)
  return fence
end
