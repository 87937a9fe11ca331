-- Appends batches of recorded sessions, each session's in order, many sessions in turn.
-- Arguments: file of batches in hexadecimal, file of session tokens, how many sessions are under way together.
-- Every batch goes to every session once; with that the work is over.

dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "result.lua")

local function lines(path)
  local found = {}
  for line in io.lines(path) do table.insert(found, line) end
  return found
end

local function bytes(hex)
  return (hex:gsub("..", function(pair) return string.char(tonumber(pair, 16)) end))
end

function init(args)
  batches, tokens, together = lines(args[1]), lines(args[2]), tonumber(args[3])
  for place, hex in ipairs(batches) do batches[place] = bytes(hex) end
  sent = 0
end

function request()
  local round = math.floor(sent / (together * #batches))
  local batch = math.floor(sent / together) % #batches
  local token = tokens[round * together + sent % together + 1]
  if not token then
    wrk.thread:stop()
    token = tokens[#tokens]
  end
  sent = sent + 1
  local headers = {
    ["Authorization"] = "Bearer " .. token,
    ["Content-Encoding"] = "gzip",
    ["Content-Type"] = "application/octet-stream",
  }
  return wrk.format("POST", nil, headers, batches[batch + 1])
end

function response(status)
  if status == 200 then
    accepted = accepted + 1
  elseif status == 429 or status == 503 then
    limited = limited + 1
  else
    failed = failed + 1
  end
end
