-- emit(stream, prefix, now, channel, event)
--   Appends one event to the stream and publishes the same JSON, as one step of the script that includes this.
--   stream   key, one of the script's KEYS
--   prefix   goes before the channel's name (ioredis' keyPrefix would leave channels alone)
--   now      milliseconds, from time_ms()
--   channel  'larry:coordination' or 'larry:alerts'
--   event    table: id, from, event, run and the event's own fields; `timestamp` is added here
-- An entry has the fields `channel` (without the prefix) and `json`. The stream keeps about 100,000 entries.

local function time_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- Numbers beyond 14 digits lose digits in Lua's own conversion.
local function whole(n)
  return string.format('%.0f', n)
end

-- Days since 1970 to a civil date: the algorithm of H. Hinnant, "chrono-compatible low-level date algorithms".
local function iso(ms)
  local days = math.floor(ms / 86400000)
  local rest = ms - days * 86400000
  local z = days + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local day = doy - math.floor((153 * mp + 2) / 5) + 1
  local month = mp < 10 and mp + 3 or mp - 9
  local year = yoe + era * 400 + (month <= 2 and 1 or 0)
  local s = math.floor(rest / 1000)
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', year, month, day,
    math.floor(s / 3600), math.floor(s / 60) % 60, s % 60, rest % 1000)
end

local function emit(stream, prefix, now, channel, event)
  event.timestamp = iso(now)
  local json = cjson.encode(event)
  redis.call('XADD', stream, 'MAXLEN', '~', 100000, '*', 'channel', channel, 'json', json)
  redis.call('PUBLISH', prefix .. channel, json)
end
