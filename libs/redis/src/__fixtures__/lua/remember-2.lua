#!lua
-- KEYS  a key, the event stream   ARGV  value, prefix, run   Returns the value that stood there before, or nil.
-- @include emit
-- @include twice
local before = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], twice(ARGV[1]))
emit(KEYS[2], ARGV[2], time_ms(), 'larry:coordination', { id = 'x/1/phase_started', from = 'larry-01', event = 'phase_started', run = ARGV[3] })
return before
