-- Asks for pages of a dashboard in turn. Arguments: file of paths, bearer token.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  requests, next_request, failed = {}, 0, 0
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

function done(summary, latency)
  local failures = 0
  for _, thread in ipairs(threads) do failures = failures + thread:get("failed") end
  local lost = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format(
    'RESULT {"seconds":%f,"requests":%d,"accepted":0,"rejected":0,"failed":%d,"lost":%d,"p50_ms":%f,"p95_ms":%f,"p99_ms":%f}\n',
    summary.duration / 1e6, summary.requests, failures, lost,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3))
end
