//! What the engine does in one go, so that no two nodes get in each other's way. Each script uses the keys of one channel alone.
//!
//! The hash of a channel (`m`) has:
//!
//! | field | |
//! | --- | --- |
//! | `e` | epoch |
//! | `o` | offset of the newest event taken |
//! | `c` | offset of the newest event for readers |
//! | `f` | offset after which the epoch began |
//! | `n` | when it began |
//! | `r` | the run of the engine that wrote last, where a run may lose something |
//! | `b` | bytes of all events ever |
//! | `h` | when a publisher was heard last |
//! | `g`, `gn` | which of the two hashes of what is known is the newer, and since when |
//!
//! Times are the engine's, in milliseconds.

use std::sync::LazyLock;

use redis::Script;

/// Reads where the channel stands, and begins an epoch if there is none, or if what was told of the one before may be lost: the engine was
/// started anew and keeps not everything (`run` differs), or a node has seen more of it than there is.
const BEGIN: &str = r"
local m, s = KEYS[1], KEYS[2]
local candidate, run, seen_epoch, seen = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function whole(number) return string.format('%.0f', number) end
local has = redis.call('HMGET', m, 'e', 'o', 'c', 'r', 'b', 'g', 'gn', 'f', 'n', 'h')
local e, o, c, b = has[1], tonumber(has[2]) or 0, tonumber(has[3]) or 0, tonumber(has[5]) or 0
local g, gn = tonumber(has[6]) or 0, tonumber(has[7]) or now
local f, n, h = tonumber(has[8]) or 0, tonumber(has[9]) or now, tonumber(has[10]) or -1
local function begin()
    e, f, n = candidate, o, now
    redis.call('HSET', m, 'e', e, 'o', whole(o), 'c', whole(c), 'f', whole(f), 'n', whole(n))
    if run ~= '' then redis.call('HSET', m, 'r', run) end
end
local fresh = not e
if fresh then
    redis.call('DEL', s)
    o, c, b = 0, 0, 0
    begin()
elseif (run ~= '' and has[4] ~= run) or (e == seen_epoch and o < seen) then
    begin()
end
";

/// Publishes events of one channel. Keys: m, s, d0, d1. Arguments: candidate, run, seen epoch, seen offset, where news are told, whether
/// the events are for readers at once, events at most, bytes at most, age at most, age of what is known, age of events that are known, how long
/// the hash lives, how many are known at most, field of the request's key, digest, then of each event its field and its record.
///
/// Answers the epoch, what became of it (0 published, 1 known, 2 the key was of another body), the offsets as stretches, and the newest.
const PUBLISH: &str = r"
local told, at_once = ARGV[5], ARGV[6] == '1'
local events_max, bytes_max, age_max = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local known_age, repeats_age, life, known_max = tonumber(ARGV[10]), tonumber(ARGV[11]), ARGV[12], tonumber(ARGV[13])
local key, digest = ARGV[14], ARGV[15]
if fresh then redis.call('DEL', KEYS[3], KEYS[4]) end
if now - gn > known_age or redis.call('HLEN', KEYS[3 + g % 2]) >= known_max then
    g, gn = g + 1, now
    redis.call('DEL', KEYS[3 + g % 2])
end
local newer, older = KEYS[3 + g % 2], KEYS[3 + (g + 1) % 2]
local function known(field) return redis.call('HGET', newer, field) or redis.call('HGET', older, field) end
if key ~= '' then
    local before = known(key)
    if before then
        local was, where = string.match(before, '^(%x+) (.*)$')
        if was ~= digest then return {e, 2, '', whole(c)} end
        return {e, 1, where, whole(o)}
    end
end
local stretches, first, count = {}, 0, 0
local function stretch()
    if count > 0 then stretches[#stretches + 1] = whole(first) .. ',' .. whole(count) end
end
local news, news_first, news_bytes, chunks = {}, o + 1, 0, {}
local function chunk()
    if #news > 0 then chunks[#chunks + 1] = e .. ' ' .. whole(news_first) .. '\n' .. table.concat(news, '\n') end
    news, news_first, news_bytes = {}, o + 1, 0
end
local before = o
for index = 16, #ARGV, 2 do
    local field, record, offset = ARGV[index], ARGV[index + 1], nil
    if field ~= '' then
        local found = known(field)
        if found then
            local at, where = string.match(found, '^(%d+) (%d+)$')
            if now - tonumber(at) <= repeats_age then offset = tonumber(where) end
        end
    end
    if not offset then
        o = o + 1
        b = b + #record
        offset = o
        redis.call('XADD', s, 'MAXLEN', '~', events_max, whole(o) .. '-0', 't', whole(now), 'b', whole(b), 'r', record)
        if field ~= '' then redis.call('HSET', newer, field, whole(now) .. ' ' .. whole(o)) end
        news[#news + 1] = whole(now) .. '\t' .. record
        news_bytes = news_bytes + #record
        if news_bytes > 262144 then chunk() end
    end
    if count > 0 and first + count == offset then
        count = count + 1
    else
        stretch()
        first, count = offset, 1
    end
end
stretch()
local where = table.concat(stretches, ';')
if key ~= '' then redis.call('HSET', newer, key, digest .. ' ' .. where) end
if o > before then
    for round = 1, 64 do
        local oldest = redis.call('XRANGE', s, '-', '+', 'COUNT', 1)[1]
        if not oldest or tonumber(string.match(oldest[1], '^%d+')) >= o then break end
        if now - tonumber(oldest[2][2]) <= age_max and b - tonumber(oldest[2][4]) <= bytes_max then break end
        redis.call('XTRIM', s, 'MINID', whole(tonumber(string.match(oldest[1], '^%d+')) + 1) .. '-0')
    end
    redis.call('PEXPIRE', s, whole(age_max))
end
redis.call('HSET', m, 'o', whole(o), 'b', whole(b), 'g', whole(g), 'gn', whole(gn), 'h', whole(now))
redis.call('PEXPIRE', m, life)
redis.call('PEXPIRE', newer, whole(known_age * 2))
if at_once and o > c then
    redis.call('HSET', m, 'c', whole(o))
    chunk()
    for index = 1, #chunks do redis.call('PUBLISH', told, chunks[index]) end
end
return {e, 0, where, whole(o)}
";

/// Gives events to readers that enough replicas have. Keys: m, s. Arguments: epoch, up to which offset, where news are told.
const CONFIRM: &str = r"
local m, s, epoch, upto, told = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]), ARGV[3]
local function whole(number) return string.format('%.0f', number) end
local has = redis.call('HMGET', m, 'e', 'o', 'c')
if has[1] ~= epoch then return 0 end
local o, c = tonumber(has[2]) or 0, tonumber(has[3]) or 0
upto = math.min(upto, o)
if upto <= c then return 0 end
redis.call('HSET', m, 'c', whole(upto))
local from = c + 1
while from <= upto do
    local events = redis.call('XRANGE', s, whole(from) .. '-0', whole(upto) .. '-0', 'COUNT', 64)
    if #events == 0 then break end
    local lines, bytes, first, last = {}, 0, nil, nil
    for index = 1, #events do
        local offset = tonumber(string.match(events[index][1], '^%d+'))
        if last and offset ~= last + 1 then break end
        first, last = first or offset, offset
        lines[#lines + 1] = events[index][2][2] .. '\t' .. events[index][2][6]
        bytes = bytes + #events[index][2][6]
        if bytes > 262144 then break end
    end
    redis.call('PUBLISH', told, epoch .. ' ' .. whole(first) .. '\n' .. table.concat(lines, '\n'))
    from = last + 1
end
return 1
";

/// Reads a stretch of a channel. Keys: m, s. Arguments: candidate, run, seen epoch, seen offset, how long the hash lives, the epoch
/// that the place is of, the place, how many of the newest if that is no place here, the offset to read up to (0 for the newest), events at most,
/// bytes at most.
///
/// Answers the epoch, the newest taken, the newest for readers, after what the epoch began and when, when a publisher was heard and
/// now, the oldest that there is, and the events: offset, time, record.
const READ: &str = r"
redis.call('PEXPIRE', m, ARGV[5])
local after, tail, upto = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local events_max, bytes_max = tonumber(ARGV[10]), tonumber(ARGV[11])
if upto == 0 or upto > c then upto = c end
if ARGV[6] ~= e or after > c then after = math.max(c - tail, 0) end
local oldest = redis.call('XRANGE', s, '-', '+', 'COUNT', 1)[1]
local floor = oldest and tonumber(string.match(oldest[1], '^%d+')) or o + 1
local events, bytes, count = {}, 0, 0
local from = after + 1
while from <= upto and count < events_max and bytes < bytes_max do
    local some = redis.call('XRANGE', s, whole(from) .. '-0', whole(upto) .. '-0', 'COUNT', 64)
    if #some == 0 then break end
    for index = 1, #some do
        local offset = string.match(some[index][1], '^%d+')
        local record = some[index][2][6]
        events[#events + 1] = offset
        events[#events + 1] = some[index][2][2]
        events[#events + 1] = record
        count, bytes, from = count + 1, bytes + #record, tonumber(offset) + 1
        if bytes >= bytes_max then break end
    end
end
return {e, whole(o), whole(c), whole(f), whole(n), whole(h), whole(now), whole(floor), events}
";

/// A publisher lives. Keys: m, s. Arguments: candidate, run, seen epoch, seen offset, how long the hash lives.
const ALIVE: &str = r"
redis.call('HSET', m, 'h', whole(now))
redis.call('PEXPIRE', m, ARGV[5])
return 1
";

/// Renews the lease of a node, and answers the row of orders, how many it has, and which nodes live. Keys: the nodes, the row. Arguments: the node, for
/// how long.
const RENEW: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local row = redis.call('HMGET', KEYS[2], 'e', 'n')
return {row[1] or '', tonumber(row[2]) or 0, redis.call('ZRANGE', KEYS[1], 0, -1)}
";

/// Reads where the row of orders stands, and begins another one if there is none, or if some of it may be lost (as [`BEGIN`] does for a channel). What
/// stands is kept as it is. Keys: the row, the newest orders, what stands, when that ends. Arguments: candidate, run, the row that was seen, how much of it.
const BEGIN_ROW: &str = r"
local m, l, s, u = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local candidate, run, seen_row, seen = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function whole(number) return string.format('%.0f', number) end
local has = redis.call('HMGET', m, 'e', 'n', 'r')
local row, count = has[1], tonumber(has[2]) or 0
if not row or (run ~= '' and has[3] ~= run) or (row == seen_row and count < seen) then
    row, count = candidate, 0
    redis.call('DEL', l)
    redis.call('HSET', m, 'e', row, 'n', '0', 'r', run)
end
";

/// Enters an order. Arguments besides: where nodes are told, who gives it, the order, how many are kept, how many revocations may stand, then of each
/// revocation its target, for what was issued before when, and for how long it stands in milliseconds: 0 if nothing stands any more.
///
/// Answers the row, the order's number, and what nodes were told; an empty row if there is no room.
const ENTER: &str = r"
local ended = redis.call('ZRANGEBYSCORE', u, '-inf', whole(now), 'LIMIT', 0, 1000)
for index = 1, #ended do redis.call('HDEL', s, ended[index]) end
if #ended > 0 then redis.call('ZREM', u, unpack(ended)) end
local more = 0
for index = 10, #ARGV, 3 do
    if ARGV[index + 2] ~= '0' and redis.call('HEXISTS', s, ARGV[index]) == 0 then more = more + 1 end
end
if more > 0 and redis.call('HLEN', s) + more > tonumber(ARGV[9]) then return {'', 0, ''} end
for index = 10, #ARGV, 3 do
    local target, before, ttl = ARGV[index], ARGV[index + 1], tonumber(ARGV[index + 2])
    if ttl == 0 then
        redis.call('HDEL', s, target)
        redis.call('ZREM', u, target)
    else
        redis.call('HSET', s, target, whole(now) .. ' ' .. whole(now + ttl) .. ' ' .. before)
        redis.call('ZADD', u, whole(now + ttl), target)
    end
end
count = count + 1
redis.call('HSET', m, 'n', whole(count))
local text = row .. ' ' .. whole(count) .. ' ' .. whole(now) .. ' ' .. ARGV[6] .. '\n' .. ARGV[7]
redis.call('XADD', l, 'MAXLEN', ARGV[8], whole(count) .. '-0', 'o', text)
redis.call('PUBLISH', ARGV[5], text)
return {row, count, text}
";

/// Reads what was ordered after a place. Answers the row, how many orders it has, the time, whether all that was ordered since is there (1) and what stands
/// is said (2), these orders, and what stands.
const READ_ROW: &str = r"
local after, orders, stands, is_whole = 0, {}, {}, 0
if row == seen_row then after = seen end
if count > after then
    local some = redis.call('XRANGE', l, whole(after + 1) .. '-0', '+')
    for index = 1, #some do orders[index] = some[index][2][2] end
end
if #orders == count - after then is_whole = 1 else orders = {} end
if is_whole == 0 or row ~= seen_row then
    is_whole = is_whole + 2
    stands = redis.call('HGETALL', s)
end
return {row, count, now, is_whole, orders, stands}
";

/// See [`ENTER`].
pub(super) static ENTERING: LazyLock<Script> = LazyLock::new(|| Script::new(&[BEGIN_ROW, ENTER].concat()));
/// See [`READ_ROW`].
pub(super) static ROW: LazyLock<Script> = LazyLock::new(|| Script::new(&[BEGIN_ROW, READ_ROW].concat()));
/// See [`RENEW`].
pub(super) static RENEWING: LazyLock<Script> = LazyLock::new(|| Script::new(RENEW));
/// See [`PUBLISH`].
pub(super) static PUBLISHING: LazyLock<Script> = LazyLock::new(|| Script::new(&[BEGIN, PUBLISH].concat()));
/// See [`CONFIRM`].
pub(super) static CONFIRMING: LazyLock<Script> = LazyLock::new(|| Script::new(CONFIRM));
/// See [`READ`].
pub(super) static READING: LazyLock<Script> = LazyLock::new(|| Script::new(&[BEGIN, READ].concat()));
/// See [`ALIVE`].
pub(super) static LIVING: LazyLock<Script> = LazyLock::new(|| Script::new(&[BEGIN, ALIVE].concat()));
