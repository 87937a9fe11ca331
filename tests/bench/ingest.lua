-- Posts batches of events with fresh ids. Arguments: templates file, prefix of ids (8 characters), pause of each
-- connection between requests in ms, share of requests that send an old one again.
-- A template is a line of JSON in which \1 stands for an event id (26 characters) and \2 for a user (17 characters).

local USERS = 20000
local KEPT = 64 -- old requests to choose a resend from
local headers = { ["Content-Type"] = "application/json" }

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

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
  prefix, pause, resends = args[2], tonumber(args[3]), tonumber(args[4])
  sent, accepted, rejected, failed = 0, 0, 0, 0
  local seed = 0
  for i = 1, #prefix do seed = seed * 31 + prefix:byte(i) end
  math.randomseed(seed)
  if pause == 0 then delay = nil end -- wrk looks for the function itself
end

-- Spread around the pause, so that connections do not march in step.
function delay()
  return math.floor(pause * (0.5 + math.random()))
end

function request()
  if resends > 0 and #kept == KEPT and math.random() < resends then
    return kept[math.random(KEPT)]
  end
  sent = sent + 1
  local template = templates[sent % #templates + 1]
  local parts = template.parts
  for index, at in ipairs(template.ids) do
    parts[at] = string.format("evt_%s%010d%04d", prefix, sent, index)
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
  else
    failed = failed + 1
  end
end

function done(summary, latency)
  local sums = { accepted = 0, rejected = 0, failed = 0 }
  for _, thread in ipairs(threads) do
    for name in pairs(sums) do sums[name] = sums[name] + thread:get(name) end
  end
  local lost = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format(
    'RESULT {"seconds":%f,"requests":%d,"accepted":%d,"rejected":%d,"failed":%d,"lost":%d,"p50_ms":%f,"p95_ms":%f,"p99_ms":%f}\n',
    summary.duration / 1e6, summary.requests, sums.accepted, sums.rejected, sums.failed, lost,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3))
end
