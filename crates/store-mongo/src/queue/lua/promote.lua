-- Queues tasks whose time has come and returns reservations that ran out. ARGV: channel, namespace, now, age in
-- milliseconds, how many. Answers with whether the queue is whole, how many tasks could be given out, when the next
-- task's time comes, and grants that are at least so old: whoever gave them should have had them written by now.
local now = tonumber(ARGV[3])
reap(now)
promote(now)
forget_ended(1000)
local whole = finish(ARGV[1], ARGV[2])
local left = {}
for _, id in ipairs(call('ZRANGEBYSCORE', GRANTED, '-inf', clock_ms - tonumber(ARGV[4]), 'LIMIT', 0, ARGV[5])) do
  local grant = call('HGET', GRANTS, id)
  if grant then
    left[#left + 1] = id
    left[#left + 1] = grant
  end
end
return {
  whole, tonumber(call('GET', B .. '|ready') or '0'), call('ZRANGE', LATER, 0, 0, 'WITHSCORES')[2] or '', left,
}
