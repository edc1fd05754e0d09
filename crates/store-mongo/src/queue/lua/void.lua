-- Drops grants. ARGV: channel, namespace, now, '1' to keep what the views must look at, then for each: task, grant.
-- The task goes where its record says; the record may be old, and newer news follows.
local now = tonumber(ARGV[3])
for at = 5, #ARGV, 2 do
  local id = ARGV[at]
  local task = read(id)
  if task and task.place == 'g' and call('HGET', GRANTS, id) == ARGV[at + 1] then
    local agent = task.agent
    freed[agent] = true
    unplace(id, task)
    place(id, task, now)
    if ARGV[4] == '1' then
      moved['t ' .. id] = true
      moved['l ' .. agent .. ' ' .. id] = true
      moved['a ' .. agent] = true
    end
  end
end
return finish(ARGV[1], ARGV[2])
