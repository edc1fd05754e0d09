-- Turns reservations into grants: assignments that the documents do not say yet. ARGV: channel, namespace, '1' to keep
-- what the views must look at, agent, session, then for each task: id, revision, nonce of the reservation, since when,
-- the grant. Answers with whether the queue is whole and for each task whether it was still reserved so. A queue that
-- is not whole grants nothing: it may not know how many slots are free.
local agent, session = ARGV[4], ARGV[5]
if call('EXISTS', B .. '|epoch') == 0 then return { 0, {} } end
local granted = {}
for at = 6, #ARGV, 5 do
  local id = ARGV[at]
  local task = read(id)
  local mine = task and task.place == 't' and task.revision == tonumber(ARGV[at + 1])
    and task.token == agent .. ' ' .. ARGV[at + 2]
  if mine then
    unplace(id, task)
    task.place, task.token = 'g', agent .. ' ' .. session .. ' ' .. ARGV[at + 3]
    task.agent, task.session = agent, session
    write(id, task)
    later_on('HSET', GRANTS, id, ARGV[at + 4])
    later_on('ZADD', GRANTED, clock_ms, id)
    later_on('SADD', B .. '|given|' .. agent, id)
    holding[id] = true
    note_held(held_on, task, id)
    if ARGV[3] == '1' then
      moved['t ' .. id] = true
      moved['a ' .. agent] = true
    end
  end
  granted[#granted + 1] = mine and 1 or 0
end
return { finish(ARGV[1], ARGV[2]), granted }
