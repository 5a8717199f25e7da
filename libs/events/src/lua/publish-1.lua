#!lua
-- publish: one event, into the stream and onto its channel, as one step.
-- KEYS[1] events (stream)
-- ARGV[1] prefix   ARGV[2] channel, without the prefix   ARGV[3] the JSON up to the timestamp   ARGV[4] the JSON after it
-- ARGV[5] most entries
-- Returns the entry's id.
-- Events: the one given.
-- @include emit

local json = ARGV[3] .. iso(time_ms()) .. ARGV[4]
local id = redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[5], '*', 'channel', ARGV[2], 'json', json)
redis.call('PUBLISH', ARGV[1] .. ARGV[2], json)
return id
