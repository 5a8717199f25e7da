-- The ledger's hash: per node `limit:` (its reserve included), `own:` (without it), `used:`, `held:`, `drawn:`,
-- `chain:` (the node and all above it), `larry:` (the node below the root that it belongs to), `pool:` (its reserve's
-- node), `opened:` (ms), `exhausted:`; per reservation `r:<id>` (open) or `x:<id>` (expired): "<tokens> <source> <node>".
-- All of it is in KEYS; the functions take the hash as `ledger`, the sorted set of open reservations as `open`.

local function number_of(ledger, field)
  return tonumber(redis.call('HGET', ledger, field) or '0')
end

local function add(ledger, field, source, amount)
  for node in redis.call('HGET', ledger, 'chain:' .. source):gmatch('%S+') do
    redis.call('HINCRBY', ledger, field .. node, amount)
  end
end

local function parse(reservation)
  return reservation:match('^(%d+) (%S+) (%S+)$')
end

-- At most ten due reservations become `x:`. A reservation that would live longer than any was promised (the clock was
-- set back) is due after the longest life promised. Returns how many expired.
local function expire(ledger, open, now)
  local longest = number_of(ledger, 'longest')
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', open, string.format('(%.0f', now + longest), '+inf', 'LIMIT', 0, 10)) do
    redis.call('ZADD', open, string.format('%.0f', now + longest), id)
  end
  local due = redis.call('ZRANGEBYSCORE', open, '-inf', string.format('%.0f', now), 'LIMIT', 0, 10)
  for _, id in ipairs(due) do
    local reservation = redis.call('HGET', ledger, 'r:' .. id)
    if reservation then
      local tokens, source = parse(reservation)
      add(ledger, 'held:', source, '-' .. tokens)
      redis.call('HDEL', ledger, 'r:' .. id)
      redis.call('HSET', ledger, 'x:' .. id, reservation)
    end
    redis.call('ZREM', open, id)
  end
  return #due
end

-- 90 % of a Larry's own limit is used (`extra`: or would be, with these tokens).
local function nearly_used(ledger, larry, extra)
  return (number_of(ledger, 'used:' .. larry) + extra) * 10 >= number_of(ledger, 'own:' .. larry) * 9
end

local function alert(stream, prefix, now, run, node, name, severity, data)
  data.node = node
  emit(stream, prefix, now, 'larry:alerts', {
    id = 'budget/' .. node .. '/' .. name, from = node, event = name, run = run, severity = severity, data = data,
  })
end

-- Opens the reserve of a Larry, once, and says so.
local function open_reserve(ledger, stream, prefix, now, run, larry)
  if redis.call('HSETNX', ledger, 'opened:' .. larry, string.format('%.0f', now)) == 0 then return end
  local own = number_of(ledger, 'own:' .. larry)
  alert(stream, prefix, now, run, larry, 'budget_reserve_deployed', 'warning', {
    used = number_of(ledger, 'used:' .. larry), limit = own, reserve = number_of(ledger, 'limit:' .. larry) - own,
  })
end
