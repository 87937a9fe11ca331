-- Asks for pages of a dashboard in turn. Arguments: file of paths, bearer token.

dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "result.lua")

function init(args)
  requests, next_request = {}, 0
  local headers = { ["Authorization"] = "Bearer " .. args[2] }
  for path in io.lines(args[1]) do
    table.insert(requests, wrk.format("GET", path, headers))
  end
end

function request()
  next_request = next_request + 1
  return requests[next_request % #requests + 1]
end

function response(status)
  if status ~= 200 then failed = failed + 1 end
end
