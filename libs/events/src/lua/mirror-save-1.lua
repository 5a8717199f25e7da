#!lua
-- mirror-save: moves the cursor of a mirror, for its holder alone, and renews the lease.
-- KEYS[1] the mirror (hash: holder, until, cursor)
-- ARGV[1] holder   ARGV[2] how long the lease lives, milliseconds   ARGV[3] the cursor
-- Returns 1, or 0 where another holds it. The same call again is harmless.
-- @include emit

if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'until', whole(time_ms() + tonumber(ARGV[2])), 'cursor', ARGV[3])
return 1
