#!lua flags=allow-oom
-- settle: turns what a reservation holds into what was used, also when it has expired meanwhile.
-- KEYS[1] ledger (hash)   KEYS[2] open reservations (sorted set by expiry, ms)   KEYS[3] events (stream)
-- ARGV[1] run   ARGV[2] reservation id   ARGV[3] tokens used   ARGV[4] prefix
-- Returns 1 settled; 2 settled after it had expired; 0 nothing: settled before, or never granted; -1 no such run.
-- Events: budget_reserve_deployed when 90 % of a Larry's own limit is used, once.
-- @include emit
-- @include ledger

local ledger, open, stream = KEYS[1], KEYS[2], KEYS[3]
local run, id, used, prefix = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

if redis.call('HGET', ledger, 'run') ~= run then return -1 end
local now = time_ms()
expire(ledger, open, now)

local reservation, answer = redis.call('HGET', ledger, 'r:' .. id), 1
if not reservation then
  reservation, answer = redis.call('HGET', ledger, 'x:' .. id), 2
end
if not reservation then return 0 end

local tokens, source, node = parse(reservation)
if answer == 1 then
  add(ledger, 'held:', source, '-' .. tokens)
  redis.call('ZREM', open, id)
end
redis.call('HDEL', ledger, 'r:' .. id, 'x:' .. id)
add(ledger, 'used:', source, used)
if source ~= node then redis.call('HINCRBY', ledger, 'drawn:' .. node, used) end

local larry = redis.call('HGET', ledger, 'larry:' .. source)
if larry and redis.call('HEXISTS', ledger, 'pool:' .. larry) == 1 and nearly_used(ledger, larry, 0) then
  open_reserve(ledger, stream, prefix, now, run, larry)
end
return answer
