-- Drops tasks of which the truth knows nothing. ARGV: channel, namespace, '1' to keep what the views must look at,
-- then ids.
for at = 4, #ARGV do
  local id = ARGV[at]
  local task = read(id)
  if task then
    local held = task.agent
    if is_held(task) then freed[held] = true end
    unplace(id, task)
    texts[id] = false
    later_on('HDEL', TASKS, id)
    if ARGV[3] == '1' then
      moved['t ' .. id] = true
      if held ~= '' then moved['l ' .. held .. ' ' .. id] = true end
    end
  end
end
return finish(ARGV[1], ARGV[2])
