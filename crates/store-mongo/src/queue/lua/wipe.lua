-- Drops everything of this queue in one step, however much of it is left. The whole keyspace is looked through, so
-- this is for a queue that is torn apart, not for every day.
local cursor = '0'
repeat
  local found = call('SCAN', cursor, 'MATCH', B .. '|*', 'COUNT', 1000)
  cursor = found[1]
  for _, name in ipairs(found[2]) do call('UNLINK', name) end
until cursor == '0'
return 1
