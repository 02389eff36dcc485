"""What Valkey runs: each script is one atomic step of an endpoint's slots and queue.

Keys, all with the endpoint's id in braces so that a cluster keeps them together: ``slots`` (sorted set: ticket, end of its lease),
``queue`` (ticket, place: its round and its arrival in one number), ``alive`` (waiting ticket, end of its lease), ``users`` (user, last
round), ``turn`` (hash: the round being served, arrivals so far). Leases are in milliseconds of the server's own clock. The order is that of
:class:`inference.queue.fair.FairQueue`, and a test holds the two together.

A ticket is named ``process:number:user``. A process hears of its tickets' new positions on its channel, as a JSON object of tickets and
positions, where 0 is a slot.
"""

from __future__ import annotations

PREFIX = "lehia:gate"

_COMMON = """
local slots, queue, alive, users, turn = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local room, lease, prefix = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local ROUND = 4294967296
local moved, news = false, {}

local function keep(...)
  for _, key in ipairs({...}) do redis.call('PEXPIRE', key, lease * 8) end
end

local function say(ticket, position)
  local process = string.match(ticket, '^[^:]*')
  news[process] = news[process] or {}
  news[process][ticket] = position
end

local function hold(ticket)
  redis.call('ZADD', slots, now + lease, ticket)
  keep(slots)
end

local function join(ticket)
  local user = string.match(ticket, '^[^:]*:[^:]*:(.*)$')
  local round = tonumber(redis.call('HGET', turn, 'round') or 0)
  local last = tonumber(redis.call('ZSCORE', users, user) or -1)
  if last >= round then round = last + 1 end
  redis.call('ZADD', users, round, user)
  local arrival = redis.call('HINCRBY', turn, 'arrivals', 1)
  redis.call('ZADD', queue, string.format('%.0f', round * ROUND + arrival), ticket)
  redis.call('ZADD', alive, now + lease, ticket)
  keep(queue, alive, users, turn)
  moved = true
end

local function forget()
  if redis.call('EXISTS', queue) == 0 then redis.call('DEL', alive, users, turn) end
end

local function quit(ticket)
  local place = redis.call('ZSCORE', queue, ticket)
  if not place then return end
  local user = string.match(ticket, '^[^:]*:[^:]*:(.*)$')
  local round = math.floor(tonumber(place) / ROUND)
  redis.call('ZREM', queue, ticket)
  redis.call('ZREM', alive, ticket)
  if tonumber(redis.call('ZSCORE', users, user) or -1) == round then
    redis.call('ZADD', users, round - 1, user)
  end
  forget()
  moved = true
end

local function serve()
  redis.call('ZREMRANGEBYSCORE', slots, '-inf', now)
  if redis.call('EXISTS', queue) == 0 then return end
  for _, ticket in ipairs(redis.call('ZRANGEBYSCORE', alive, '-inf', now)) do quit(ticket) end
  local free = room - redis.call('ZCARD', slots)
  while free > 0 do
    local head = redis.call('ZPOPMIN', queue)
    if not head[1] then break end
    local round = math.floor(tonumber(head[2]) / ROUND)
    redis.call('ZREM', alive, head[1])
    redis.call('HSET', turn, 'round', round)
    redis.call('ZREMRANGEBYSCORE', users, '-inf', round - 1)
    hold(head[1])
    say(head[1], 0)
    free = free - 1
    moved = true
  end
  forget()
end

local function tell()
  if not moved then return end
  for index, ticket in ipairs(redis.call('ZRANGE', queue, 0, -1)) do say(ticket, index) end
  for process, positions in pairs(news) do
    redis.call('PUBLISH', prefix .. ':' .. process, cjson.encode(positions))
  end
end
"""

# ARGV: room, lease, prefix, longest queue, ticket. Returns the position, 0 with a slot, -1 where the queue is full.
ENTER = (
    _COMMON
    + """
serve()
local ticket, position, served = ARGV[5], 0, moved
local waiting = redis.call('ZCARD', queue)
if waiting == 0 and redis.call('ZCARD', slots) < room then
  hold(ticket)
elseif waiting >= tonumber(ARGV[4]) then
  position = -1
else
  join(ticket)
  position = redis.call('ZRANK', queue, ticket) + 1
  moved = served or position <= waiting
end
tell()
return position
"""
)

# ARGV: room, lease, prefix, ticket. Gives up a slot or a place.
LEAVE = (
    _COMMON
    + """
if redis.call('ZREM', slots, ARGV[4]) == 0 then quit(ARGV[4]) end
serve()
tell()
return 0
"""
)

# ARGV: room, lease, prefix, number of tickets with a slot, these, then those that wait. Returns the latter's positions. What the server
# forgot, as after a restart, is put back: a slot in any case, since its request is on its way; a waiting ticket at the end.
RENEW = (
    _COMMON
    + """
local held = tonumber(ARGV[4])
for index = 5, 4 + held do hold(ARGV[index]) end
for index = 5 + held, #ARGV do
  local ticket = ARGV[index]
  if redis.call('ZSCORE', queue, ticket) then
    redis.call('ZADD', alive, now + lease, ticket)
    keep(queue, alive, users, turn)
  elseif redis.call('ZSCORE', slots, ticket) then
    hold(ticket)
  else
    join(ticket)
  end
end
serve()
tell()
local positions = {}
for index = 5 + held, #ARGV do
  local rank = redis.call('ZRANK', queue, ARGV[index])
  positions[#positions + 1] = rank and rank + 1 or 0
end
return positions
"""
)


def keys(endpoint: str) -> tuple[str, ...]:
    """The keys of one endpoint, in the order of the scripts."""
    return tuple(f"{PREFIX}:{{{endpoint}}}:{name}" for name in ("slots", "queue", "alive", "users", "turn"))
