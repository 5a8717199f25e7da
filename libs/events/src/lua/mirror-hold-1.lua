#!lua
-- mirror-hold: takes or renews the lease of a mirror; one holder at a time sends.
-- KEYS[1] the mirror (hash: holder, until, cursor)
-- ARGV[1] holder   ARGV[2] how long the lease lives, milliseconds; 0 gives it back
-- Returns {1, '<cursor>'} to the holder (empty where nothing was ever saved), else {0, '<milliseconds until the lease lapses>'}. The same call again is harmless.
-- @include emit

local now = time_ms()
local ttl = tonumber(ARGV[2])
local held = redis.call('HMGET', KEYS[1], 'holder', 'until', 'cursor')
local rest = (tonumber(held[2]) or 0) - now
-- A lease that lies further ahead than any we give is of a clock that was set back.
if held[1] and held[1] ~= ARGV[1] and rest > 0 and rest <= 3600000 then return { 0, whole(rest) } end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'until', whole(now + ttl))
return { 1, held[3] or '' }
