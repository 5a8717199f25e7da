#!lua
-- open: writes the tree of a run, unless it stands already.
-- KEYS[1] ledger (hash)   KEYS[2] open reservations (sorted set)   KEYS[3] the run (hash of libs/coordination; read only)
-- KEYS[4] recorded keys (set of libs/coordination): what `larry reset` removes
-- ARGV[1] run   ARGV[2] digest of the tree   ARGV[3] views (JSON array of the names of keys that will be written)
-- ARGV[4] fields (JSON array: field, value, …)
-- Returns 1 written; 0 stands already; -1 another run is the current one; -2 this run has another tree.
-- Events: none.

local current = redis.call('HGET', KEYS[3], 'id')
if current and current ~= ARGV[1] then return -1 end
if redis.call('HGET', KEYS[1], 'run') == ARGV[1] then
  return redis.call('HGET', KEYS[1], 'tree') == ARGV[2] and 0 or -2
end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'run', ARGV[1], 'tree', ARGV[2], 'longest', 0)
redis.call('SADD', KEYS[4], KEYS[1], KEYS[2], unpack(cjson.decode(ARGV[3])))
local fields = cjson.decode(ARGV[4])
for i = 1, #fields, 2 do redis.call('HSET', KEYS[1], fields[i], fields[i + 1]) end
return 1
