-- Posts batches of events with fresh ids. Arguments: templates file, prefix of ids (8 characters), requests a second that
-- all connections together offer (0: as many as are answered), share of requests that send an old one again.
-- A template is a line of JSON in which \1 stands for an event id (26 characters) and \2 for a user (17 characters).

dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "result.lua")

local ffi = require("ffi")
ffi.cdef("typedef struct { long s, ns; } instant; int clock_gettime(int, instant *);")
local REALTIME, MONOTONIC = 0, 1
local instant = ffi.new("instant")

local DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
local USERS = 20000
local KEPT = 64 -- old requests to choose a resend from
local headers = { ["Content-Type"] = "application/json" }

local function compile(line)
  local parts, ids, users = {}, {}, {}
  local from = 1
  while true do
    local at = line:find("[\1\2]", from)
    if not at then break end
    table.insert(parts, line:sub(from, at - 1))
    table.insert(parts, "")
    table.insert(line:sub(at, at) == "\1" and ids or users, #parts)
    from = at + 1
  end
  table.insert(parts, line:sub(from))
  return { parts = parts, ids = ids, users = users }
end

function init(args)
  templates, kept = {}, {}
  for line in io.lines(args[1]) do
    table.insert(templates, compile(line))
  end
  prefix, per_s, resends = args[2], tonumber(args[3]), tonumber(args[4])
  sent, made = 0, 0
  local seed = 0
  for i = 1, #prefix do seed = seed * 31 + prefix:byte(i) end
  math.randomseed(seed)
  if per_s == 0 then delay = nil end -- wrk looks for the function itself
end

local function now_ms(clock)
  ffi.C.clock_gettime(clock, instant)
  return tonumber(instant.s) * 1e3 + tonumber(instant.ns) / 1e6
end

-- How long a connection waits before its next request: until the next arrival of a Poisson process. The arrivals do not
-- wait for answers, as clients that know nothing of each other do not, unless every connection is waiting for one.
function delay()
  local now = now_ms(MONOTONIC)
  next_ms = (next_ms or now) - math.log(1 - math.random()) * 1e3 / per_s
  return math.max(0, math.floor(next_ms - now + 0.5))
end

-- The end of an SDK's event ids: milliseconds since 1970 in eight digits.
local function in_base_36(number)
  local digits = {}
  for place = 8, 1, -1 do
    local digit = number % 36
    digits[place] = DIGITS:sub(digit + 1, digit + 1)
    number = (number - digit) / 36
  end
  return table.concat(digits)
end

function request()
  if resends > 0 and #kept == KEPT and math.random() < resends then
    return kept[math.random(KEPT)]
  end
  sent = sent + 1
  local template = templates[sent % #templates + 1]
  local parts = template.parts
  local time = in_base_36(math.floor(now_ms(REALTIME)))
  for _, at in ipairs(template.ids) do
    made = made + 1
    parts[at] = string.format("evt_%s%06d%s", prefix, made % 1000000, time)
  end
  local user = string.format("anon_%012d", sent % USERS)
  for _, at in ipairs(template.users) do
    parts[at] = user
  end
  local text = wrk.format("POST", nil, headers, table.concat(parts))
  if resends > 0 then kept[sent % KEPT + 1] = text end
  return text
end

function response(status, _, body)
  if status == 202 then
    accepted = accepted + tonumber(body:match('"accepted": *(%d+)'))
    if body:find('"rejected"', 1, true) then rejected = rejected + 1 end
  elseif status == 429 or status == 503 then
    limited = limited + 1
  else
    failed = failed + 1
  end
end
