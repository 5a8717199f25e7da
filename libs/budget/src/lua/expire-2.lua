#!lua
-- expire: gives back what at most ten due reservations hold.
-- KEYS[1] ledger (hash)   KEYS[2] open reservations (sorted set by expiry, ms)
-- ARGV: none
-- Returns how many expired: ten means that there may be more.
-- Events: none.
-- @include emit
-- @include ledger

return expire(KEYS[1], KEYS[2], time_ms())
