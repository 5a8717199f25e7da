#!lua flags=no-writes
-- ARGV  milliseconds…   Returns each as ISO 8601.
-- @include emit
local out = {}
for i, ms in ipairs(ARGV) do out[i] = iso(tonumber(ms)) end
return out
