-- Returns reservations. ARGV: channel, namespace, now, then for each task: id, revision, nonce.
local now = tonumber(ARGV[3])
for at = 4, #ARGV, 3 do
  local id = ARGV[at]
  local task = read(id)
  if task and task.place == 't' and task.revision == tonumber(ARGV[at + 1])
    and match(task.token, ' (.*)$') == ARGV[at + 2] then
    freed[taker_of(task)] = true
    unplace(id, task)
    place(id, task, now)
  end
end
return finish(ARGV[1], ARGV[2])
