#!lua
-- reserve: holds tokens for one provider request at a node and all above it, or at the reserve that a full node draws from.
-- KEYS[1] ledger (hash)   KEYS[2] open reservations (sorted set by expiry, ms)   KEYS[3] events (stream)
-- ARGV[1] run   ARGV[2] reservation id   ARGV[3] node   ARGV[4] tokens   ARGV[5] ttl, ms   ARGV[6] prefix
-- Returns {1, source} granted, the same for the same id; {-1} no such run; {-2} no such node; {-3} busy: others hold it;
--   {-4} exhausted: used; {-5} this id has expired.
-- Events: budget_reserve_deployed when the last resort's reserve is first drawn from; budget_exhausted once per node.
-- Not allow-oom: a full Redis stops new work.
-- @include emit
-- @include ledger

local ledger, open, stream = KEYS[1], KEYS[2], KEYS[3]
local run, id, node, prefix = ARGV[1], ARGV[2], ARGV[3], ARGV[6]
local tokens, ttl = tonumber(ARGV[4]), tonumber(ARGV[5])

if redis.call('HGET', ledger, 'run') ~= run then return { -1 } end
local now = time_ms()
expire(ledger, open, now)
if redis.call('HEXISTS', ledger, 'chain:' .. node) == 0 then return { -2 } end
local before = redis.call('HGET', ledger, 'r:' .. id)
if before then
  local _, source = parse(before)
  return { 1, source }
end
if redis.call('HEXISTS', ledger, 'x:' .. id) == 1 then return { -5 } end

local GRANTED, BUSY, EXHAUSTED = 1, -3, -4

-- Whether the tokens fit at a source and all above it: at once, when others give back what they hold, or not at all.
local function fits(source)
  local answer = GRANTED
  for at in redis.call('HGET', ledger, 'chain:' .. source):gmatch('%S+') do
    local limit, used = number_of(ledger, 'limit:' .. at), number_of(ledger, 'used:' .. at)
    if used + tokens > limit then return EXHAUSTED end
    if used + number_of(ledger, 'held:' .. at) + tokens > limit then answer = BUSY end
  end
  return answer
end

-- A full node draws from its Larry's reserve once that is open, then from the last resort's.
local function choose()
  local answer = fits(node)
  if answer ~= EXHAUSTED then return answer, node end
  local larry = redis.call('HGET', ledger, 'larry:' .. node)
  if not larry then return EXHAUSTED end
  local pool = redis.call('HGET', ledger, 'pool:' .. larry)
  if redis.call('HEXISTS', ledger, 'opened:' .. larry) == 0 and (pool or not nearly_used(ledger, larry, 0)) then
    -- What others hold may, once settled, open it.
    return nearly_used(ledger, larry, number_of(ledger, 'held:' .. larry)) and BUSY or EXHAUSTED
  end
  if pool then
    answer = fits(pool)
    if answer ~= EXHAUSTED then return answer, pool end
  end
  local last = redis.call('HGET', ledger, 'lastresort')
  if not last or last == larry then return EXHAUSTED end
  local last_pool = redis.call('HGET', ledger, 'pool:' .. last)
  answer = fits(last_pool)
  if answer == GRANTED then open_reserve(ledger, stream, prefix, now, run, last) end
  return answer, last_pool
end

local answer, source = choose()
if answer == EXHAUSTED and redis.call('HSETNX', ledger, 'exhausted:' .. node, string.format('%.0f', now)) == 1 then
  alert(stream, prefix, now, run, node, 'budget_exhausted', 'warning', {
    used = number_of(ledger, 'used:' .. node), limit = number_of(ledger, 'limit:' .. node), asked = tokens,
  })
end
if answer ~= GRANTED then return { answer } end

add(ledger, 'held:', source, ARGV[4])
redis.call('HSET', ledger, 'r:' .. id, ARGV[4] .. ' ' .. source .. ' ' .. node)
redis.call('ZADD', open, string.format('%.0f', now + ttl), id)
if ttl > number_of(ledger, 'longest') then redis.call('HSET', ledger, 'longest', ARGV[5]) end
return { GRANTED, source }
