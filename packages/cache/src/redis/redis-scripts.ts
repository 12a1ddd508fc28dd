// What the store does in Redis, one script a call, each atomic. All names begin with the prefix:
//
//   :clock      hash   epoch, version of the last change, run (of the server that made the epoch)
//   :v:<key>    text   see redis-record.ts; expires when it is no longer fresh
//   :l:<key>    text   "<token> <version when granted> <server's milliseconds>"; expires with it
//   :t:<tag>    text   version when it was first used since its last invalidation
//   :bus        channel "<epoch> <version> <previous> <keys and tags as JSON>"
//
// Versions are microseconds of the server's clock, or one more than the last where that is later:
// they go on growing where :clock is lost, and a lost :clock begins an epoch. A restart and a
// failover show by another run_id and begin one too, since the server may have come back with a
// past that has since been deleted.

/** Every script begins with this. */
const BASE = `
local function micros()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000000 + tonumber(t[2])
end
local function text(n) return string.format('%.0f', n) end
local function run_id() return string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or '?' end
local function renew(clock, fresh)
  redis.call('HSET', clock, 'epoch', fresh, 'run', run_id())
  return fresh
end
local function announce(clock, epoch, channel, body)
  local last = redis.call('HGET', clock, 'version') or '0'
  local version = math.max(micros(), tonumber(last) + 1)
  redis.call('HSET', clock, 'version', text(version))
  redis.call('PUBLISH', channel, epoch .. ' ' .. text(version) .. ' ' .. last .. ' ' .. body)
  return { epoch, text(version), last }
end
local function tags_count(tags, version, prefix)
  for tag in string.gmatch(tags, '[^,]+') do
    local since = redis.call('GET', prefix .. tag)
    if not since or tonumber(since) > tonumber(version) then return false end
  end
  return true
end
local function counts(record, epoch, prefix)
  if not record then return false end
  local of, version, tags = string.match(record, '^1 (%S+) (%d+) %d+ (%S+)\\n')
  return of == epoch and (tags == '-' or tags_count(tags, version, prefix))
end
`

/** KEYS clock · ARGV fresh epoch, '1' if restarts are trusted → epoch, version, server µs */
export const POSITION: string = `${BASE}
local at = redis.call('HMGET', KEYS[1], 'epoch', 'run', 'version')
local epoch, version = at[1], at[3]
if not epoch or not version or (ARGV[2] ~= '1' and at[2] ~= run_id()) then
  epoch = renew(KEYS[1], ARGV[1])
  version = text(math.max(micros(), tonumber(version or '0') + 1))
  redis.call('HSET', KEYS[1], 'version', version)
end
return { epoch, version, text(micros()) }
`

/** KEYS clock, value · ARGV epoch, tag prefix → record or nil; for records with tags */
export const READ: string = `${BASE}
local record = redis.call('GET', KEYS[2])
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if epoch == ARGV[1] and counts(record, epoch, ARGV[2]) then return record end
return false
`

/** KEYS clock, value, lease · ARGV epoch, tag prefix, mode, ms, name → state, … */
export const LEASE: string = `${BASE}
local at = redis.call('HMGET', KEYS[1], 'epoch', 'version')
if at[1] ~= ARGV[1] or not at[2] then return { 'epoch' } end
if ARGV[3] ~= 'write' then
  local record = redis.call('GET', KEYS[2])
  if counts(record, at[1], ARGV[2]) then return { 'hit', record } end
  if ARGV[3] == 'join' and redis.call('EXISTS', KEYS[3]) == 1 then return { 'busy' } end
end
local now = micros()
local token = ARGV[5] .. '.' .. text(now)
local lease = token .. ' ' .. at[2] .. ' ' .. text(math.floor(now / 1000))
redis.call('SET', KEYS[3], lease, 'PX', ARGV[4])
return { 'granted', token, at[2] }
`

/**
 * KEYS clock, value, lease, tags… · ARGV epoch, tag prefix, token, ttl or '', tags, text,
 * 'fill', 'commit' or 'release', then for a commit fresh epoch, channel, body → kept, change
 */
export const FILL: string = `${BASE}
local at = redis.call('HMGET', KEYS[1], 'epoch', 'version')
local lease = at[1] == ARGV[1] and at[2] and redis.call('GET', KEYS[3])
local token, version, granted
if lease then token, version, granted = string.match(lease, '^(%S+) (%d+) (%d+)$') end
local kept = 0
if token == ARGV[3] then
  local ttl = tonumber(ARGV[4]) or math.huge
  local now = math.floor(micros() / 1000)
  local left = math.min(ttl, tonumber(granted) + ttl - now)
  redis.call('DEL', KEYS[3])
  if ARGV[7] ~= 'release' and left >= 1 then
    for i = 4, #KEYS do
      -- Who knows what happened to a tag that is not known? At worst all changes up to now.
      local is_new = redis.call('SET', KEYS[i], at[2], 'NX')
      local stays = redis.call('PTTL', KEYS[i])
      if ttl == math.huge then
        redis.call('PERSIST', KEYS[i])
      elseif is_new or (stays >= 0 and stays < ttl) then
        redis.call('PEXPIRE', KEYS[i], text(2 * ttl))
      end
    end
    if ARGV[5] == '-' or tags_count(ARGV[5], version, ARGV[2]) then
      local ends = left < math.huge and text(now + left) or '0'
      local head = '1 ' .. at[1] .. ' ' .. version .. ' ' .. ends .. ' ' .. ARGV[5] .. '\\n'
      redis.call('SET', KEYS[2], head .. ARGV[6])
      if left < math.huge then redis.call('PEXPIRE', KEYS[2], text(left)) end
      kept = 1
    end
  end
end
if ARGV[7] ~= 'commit' then return { kept } end
if kept == 0 then redis.call('DEL', KEYS[2], KEYS[3]) end
local epoch = at[1] or renew(KEYS[1], ARGV[8])
local change = announce(KEYS[1], epoch, ARGV[9], ARGV[10])
return { kept, change[1], change[2], change[3] }
`

/** KEYS clock, what to delete… · ARGV fresh epoch, channel, body, '1' to void all → change */
export const CHANGE: string = `${BASE}
for i = 2, #KEYS do redis.call('DEL', KEYS[i]) end
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch or ARGV[4] == '1' then epoch = renew(KEYS[1], ARGV[1]) end
return announce(KEYS[1], epoch, ARGV[2], ARGV[3])
`
