-- Needs the locals RUN, STATUS, DUE, DEADLINES, GRAPH, EVENTS, prefix, run. What follows from a task's end: dependents
-- become ready or are skipped, a phase ends, `converge` becomes ready, the run ends: all in the step that ended the task.
-- Events: task_complete, task_failed, task_skipped, progress_update, phase_complete, phase_failed, run_complete
local function entry_of(task)
  return cjson.decode(redis.call('HGET', GRAPH, task))
end

local function say(channel, name, event)
  event.id = name .. '/' .. event.event
  event.run = run
  emit(EVENTS, prefix, now, channel, event)
end

-- What follows needs no earlier event to tell how long something took: each that ends something says when that began.
local function with_times(task, event)
  local first, claimed, started = times_of(task)
  event.began_at, event.claimed_at, event.started_at = first and iso(first), claimed and iso(claimed), started and iso(started)
  return event
end

local function say_task(event, task, larry, reason)
  local attempt = attempt_of(task)
  say('larry:coordination', task .. '/' .. attempt,
    with_times(task, { event = event, from = larry, task_id = task, attempt = attempt, reason = reason }))
end

local function since(field)
  local ms = redis.call('HGET', RUN, field)
  return ms and iso(tonumber(ms)) or nil
end

local function make_ready(task, entry)
  redis.call('HSET', STATUS, task, 'ready')
  redis.call('ZADD', DEADLINES, now + entry.limit, task)
end

-- While a person is waited for, the run's deadline moves along.
local function approval_begins()
  if redis.call('HINCRBY', RUN, 'waiting', 1) == 1 then redis.call('HSET', RUN, 'waitingSince', now) end
end

local function approval_ends()
  if redis.call('HINCRBY', RUN, 'waiting', -1) == 0 then
    local field = redis.call('HMGET', RUN, 'deadline', 'waitingSince')
    redis.call('HSET', RUN, 'deadline', whole(tonumber(field[1]) + math.max(0, now - tonumber(field[2]))))
  end
end

local function count(larry, field)
  return tonumber(redis.call('HGET', RUN, field .. ':' .. larry) or '0')
end

local function finish_run(converged)
  local phases, status = {}, converged == 'completed' and 'completed' or 'failed'
  for _, larry in ipairs(cjson.decode(redis.call('HGET', RUN, 'phases'))) do
    phases[larry] = count(larry, 'failed') > 0 and 'failed' or 'completed'
    if phases[larry] == 'failed' then status = 'failed' end
  end
  if redis.call('HGET', RUN, 'abortedBy') then status = 'aborted' end
  redis.call('HSET', RUN, 'status', status, 'endedAt', now)
  say('larry:coordination', run, { event = 'run_complete', from = redis.call('HGET', RUN, 'convergeLarry'),
    started_at = since('createdAt'), state = { status = status, phases = phases } })
end

local function finish_phase(larry)
  local failed, done, total = count(larry, 'failed'), count(larry, 'done'), count(larry, 'total')
  redis.call('HSET', RUN, 'ended:' .. larry, now)
  say('larry:coordination', larry .. '/1', { event = failed > 0 and 'phase_failed' or 'phase_complete', from = larry,
    started_at = since('started:' .. larry),
    summary = { completed = done, failed = failed, skipped = total - done - failed, total = total } })
end

local function converge_if_phases_ended()
  local converge = redis.call('HGET', RUN, 'converge')
  if redis.call('HGET', RUN, 'phasesOpen') == '0' and status_of(converge) == 'pending' then
    make_ready(converge, entry_of(converge))
  end
end

-- 'ready', 'skipped', or nil: something that it waits for has not ended.
local function verdict_on(entry)
  for _, need in ipairs(entry.needs) do
    local word = status_of(need)
    if word == 'failed' or word == 'skipped' then return 'skipped' end
  end
  for _, need in ipairs(entry.needs) do
    if status_of(need) ~= 'completed' then return nil end
  end
  for _, other in ipairs(entry.after) do
    if not has_ended(status_of(other)) then return nil end
  end
  return 'ready'
end

local function count_in_phase(task, larry, word)
  if word == 'failed' then redis.call('HINCRBY', RUN, 'failed:' .. larry, 1) end
  if word == 'completed' then
    local done, total = redis.call('HINCRBY', RUN, 'done:' .. larry, 1), count(larry, 'total')
    say('larry:coordination', task .. '/' .. attempt_of(task), { event = 'progress_update', from = larry,
      progress = math.floor(done * 100 / total), message = done .. '/' .. total .. ' workers done' })
  end
  if redis.call('HINCRBY', RUN, 'open:' .. larry, -1) == 0 then
    finish_phase(larry)
    redis.call('HINCRBY', RUN, 'phasesOpen', -1)
  end
end

-- word: completed, failed or skipped. reason: of the closed list when skipped, a sentence when failed.
local function end_task(first, first_word, first_reason)
  local queue = { { first, first_word, first_reason } }
  local names = { completed = 'task_complete', failed = 'task_failed', skipped = 'task_skipped' }
  while #queue > 0 do
    local task, word, reason = unpack(table.remove(queue, 1))
    local before = status_of(task)
    if not has_ended(before) then
      local entry = entry_of(task)
      if before == 'awaiting_approval' then approval_ends() end
      redis.call('HSET', STATUS, task, word == 'skipped' and word .. ':' .. reason or word)
      redis.call('ZREM', DUE, task)
      redis.call('ZREM', DEADLINES, task)
      say_task(names[word], task, entry.larry, reason)
      if entry.converge then
        finish_run(word)
      else
        count_in_phase(task, entry.larry, word)
        for _, dependent in ipairs(entry.next) do
          if status_of(dependent) == 'pending' then
            local next_entry = entry_of(dependent)
            local verdict = verdict_on(next_entry)
            if verdict == 'ready' then make_ready(dependent, next_entry) end
            if verdict == 'skipped' then queue[#queue + 1] = { dependent, 'skipped', 'dependency' } end
          end
        end
        converge_if_phases_ended()
      end
    end
  end
end
