#!lua flags=no-writes
-- view: the figures of every node, as of one moment.
-- KEYS[1] ledger (hash)
-- ARGV: none
-- Returns nothing where there is no ledger, else {run, node, limit, own, used, held, drawn, opened, parent, …} with eight
--   values a node in the order of the tree; a value that was never written is ''.
-- Events: none.

local ledger = KEYS[1]
local run = redis.call('HGET', ledger, 'run')
if not run then return {} end
local out = { run }
for node in redis.call('HGET', ledger, 'nodes'):gmatch('%S+') do
  local values = redis.call('HMGET', ledger, 'limit:' .. node, 'own:' .. node, 'used:' .. node, 'held:' .. node,
    'drawn:' .. node, 'opened:' .. node, 'chain:' .. node)
  out[#out + 1] = node
  for i = 1, 7 do out[#out + 1] = values[i] or '' end
end
return out
