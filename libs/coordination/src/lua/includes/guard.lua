-- Needs the locals RUN, STATUS, TASK, run, task. A guarded write shows run, holder and fence, and all three must be
-- equal to what is stored; a missing hash or another run means stop. Returns a negative code, or nil to go on.
local function refusal(holder, fence)
  if not is_current() or redis.call('HGET', TASK, 'run') ~= run then return -1 end
  if has_ended(status_of(task)) then return -6 end
  local stored = redis.call('HMGET', TASK, 'holder', 'fence')
  if status_of(task) ~= 'in_progress' or stored[1] ~= holder or stored[2] ~= fence then return -5 end
  return nil
end
