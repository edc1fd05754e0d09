-- Adds a run of events that follows on the last. KEYS[1]: the stream. ARGV: number of the first event, of the last, the
-- events, how many are kept. Answers with what came of it (0 something is missing before it, 1 added, 2 all known, 3 known in
-- part) and the number of the last event in the stream, 0 when it is empty.
local first, last = tonumber(ARGV[1]), tonumber(ARGV[2])
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local top = newest and tonumber(string.match(newest[1], '^%d+')) or 0
if last <= top then return { 2, top } end
if top > 0 and first > top + 1 then return { 0, top } end
if top > 0 and first <= top then return { 3, top } end
redis.call('XADD', KEYS[1], 'MINID', '~', math.max(0, last - tonumber(ARGV[4])), ARGV[2] .. '-0',
  'first', ARGV[1], 'events', ARGV[3])
return { 1, last }
