-- One wrk run: the same POST again and again. BENCH_BODY names the file with the body, BENCH_HEADERS the one with
-- "name: value" lines, BENCH_ADDRESSES lists host:port pairs, one of which each thread takes in turn.
local next_thread = 0

local function read(path)
  local file = assert(io.open(path, "rb"))
  local content = file:read("*a")
  file:close()
  return content
end

function setup(thread)
  local addresses = {}
  for host, port in os.getenv("BENCH_ADDRESSES"):gmatch("([^:%s]+):(%d+)") do
    addresses[#addresses + 1] = wrk.lookup(host, port)[1]
  end
  thread.addr = addresses[next_thread % #addresses + 1]
  next_thread = next_thread + 1
end

function init()
  wrk.method = "POST"
  wrk.body = read(os.getenv("BENCH_BODY"))
  for name, value in read(os.getenv("BENCH_HEADERS")):gmatch("([^:\n]+): ([^\n]+)") do
    wrk.headers[name] = value
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,"failed":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
