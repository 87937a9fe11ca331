-- What every script here tells at the end: the sums of its threads and wrk's own figures, as one line of JSON.
-- A script counts in the globals below.

accepted, rejected, limited, failed = 0, 0, 0, 0

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function done(summary, latency)
  local sums = { accepted = 0, rejected = 0, limited = 0, failed = 0 }
  for _, thread in ipairs(threads) do
    for name in pairs(sums) do sums[name] = sums[name] + thread:get(name) end
  end
  local lost = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format(
    'RESULT {"seconds":%f,"requests":%d,"accepted":%d,"rejected":%d,"limited":%d,"failed":%d,"lost":%d,'
      .. '"p50_ms":%f,"p95_ms":%f,"p99_ms":%f}\n',
    summary.duration / 1e6, summary.requests, sums.accepted, sums.rejected, sums.limited, sums.failed, lost,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3))
end
