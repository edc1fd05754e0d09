-- Takes or keeps a lock. KEYS[1]: the lock. ARGV: who, for how many milliseconds. Answers whether it is held.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
