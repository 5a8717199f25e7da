-- Needs what `ending` and `lease` need. An attempt is over without an end: back to ready, or failed when nothing is left.
-- Events: worker_failure, those of ending
local FREE_RETURNS = 5

local function say_failure(task, entry, reason, retries)
  local attempt = attempt_of(task)
  say('larry:alerts', task .. '/' .. attempt, with_times(task, { event = 'worker_failure', from = entry.larry,
    severity = 'warning', attempt = attempt, data = { worker_id = entry.larry .. '-' .. entry.worker, task_id = task, error = reason, retry_count = retries } }))
end

-- how: 'error' uses an attempt; 'returned' (given back in order) and 'lapsed' (nobody renewed) are no error of the task,
-- and five of them in a run cost no attempt.
local function back_to_ready(entry, reason, how, wait)
  local free = how ~= 'error'
  local returned = free and redis.call('HINCRBY', TASK, 'returns', 1) <= FREE_RETURNS
  if not returned then
    local errors = redis.call('HINCRBY', TASK, 'errors', 1)
    if errors >= entry.attempts then
      redis.call('HSET', TASK, 'reason', reason, 'endedAt', now)
      end_task(task, 'failed', reason)
      return 'failed'
    end
  end
  if how ~= 'returned' then
    say_failure(task, entry, reason, tonumber(redis.call('HGET', TASK, 'errors') or '0'))
  end
  redis.call('HSET', STATUS, task, 'ready')
  redis.call('HSET', TASK, 'reason', reason, 'span', wait)
  redis.call('ZREM', DUE, task)
  if wait > 0 then redis.call('ZADD', DUE, now + wait, task) end
  return 'ready'
end
