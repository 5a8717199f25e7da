#!lua
-- open: writes the tree of a run, unless it stands already.
-- KEYS[1] ledger (hash)   KEYS[2] open reservations (sorted set)   KEYS[3] the run (hash of libs/coordination; read only)
-- ARGV[1] run   ARGV[2] digest of the tree   ARGV[3] number of field-value pairs   ARGV[4…] field, value, …
-- Returns 1 written; 0 stands already; -1 another run is the current one; -2 this run has another tree.
-- Events: none.

local current = redis.call('HGET', KEYS[3], 'id')
if current and current ~= ARGV[1] then return -1 end
if redis.call('HGET', KEYS[1], 'run') == ARGV[1] then
  return redis.call('HGET', KEYS[1], 'tree') == ARGV[2] and 0 or -2
end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'run', ARGV[1], 'tree', ARGV[2], 'longest', 0)
for i = 1, tonumber(ARGV[3]) do
  redis.call('HSET', KEYS[1], ARGV[2 + 2 * i], ARGV[3 + 2 * i])
end
return 1
