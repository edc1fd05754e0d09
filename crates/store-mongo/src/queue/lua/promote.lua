-- Queues tasks whose time has come and returns reservations that ran out. ARGV: channel, namespace, now. Answers
-- with whether the queue is whole, how many tasks could be given out, and when the next task's time comes.
local now = tonumber(ARGV[3])
reap(now)
promote(now)
forget_ended(1000)
local whole = finish(ARGV[1], ARGV[2])
return { whole, tonumber(call('GET', B .. '|ready') or '0'), call('ZRANGE', LATER, 0, 0, 'WITHSCORES')[2] or '' }
