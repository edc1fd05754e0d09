-- How many ready tasks come before one for whoever could run it. ARGV: id. Answers with whether the queue is whole
-- and the number, or -1 when the task is not ready.
local whole = call('EXISTS', B .. '|epoch')
local task = read(ARGV[1])
if not task or task.place ~= 'q' then return { whole, -1 } end
local ahead = call('ZRANK', tasks_key(task), task.order .. ARGV[1])
if not ahead then return { whole, -1 } end
local levels = call('HGETALL', B .. '|n|' .. task.lane)
for i = 1, #levels, 2 do
  if tonumber(levels[i]) > tonumber(task.prio) then ahead = ahead + tonumber(levels[i + 1]) end
end
return { whole, ahead }
