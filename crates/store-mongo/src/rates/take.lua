-- Takes tokens from a bucket. KEYS[1]: the bucket. ARGV: how many it holds, how many come back in a second, how many
-- to take. Answers with whether they were there, how many are left, and in how many milliseconds they will be.
local burst, pace, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(bucket[1]) or burst, tonumber(bucket[2]) or now
tokens = math.min(burst, tokens + math.max(0, now - at) * pace / 1000)
local allowed, wait = 0, 0
if tokens >= wanted then
  allowed, tokens = 1, tokens - wanted
else
  wait = math.ceil((wanted - tokens) * 1000 / pace)
end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', now)
-- A bucket that is full again says nothing.
redis.call('PEXPIRE', KEYS[1], math.ceil(burst * 1000 / pace) + 1000)
return { allowed, math.floor(tokens), wait }
