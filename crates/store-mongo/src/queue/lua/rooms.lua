-- For waiting claims: the free slots of each, and what could be given out. ARGV: for each claim agent, session,
-- concurrency. Answers with the rooms and, as 'COUNT LANE', the lanes that have tasks.
local rooms, lanes = {}, {}
local targets = { [''] = true }
for at = 1, #ARGV, 3 do
  rooms[#rooms + 1] = room_of(ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]))
  targets[ARGV[at]] = true
end
for target in pairs(targets) do
  for _, lane in ipairs(call('SMEMBERS', B .. '|lanes|' .. target)) do
    local count = 0
    for _, n in ipairs(call('HVALS', B .. '|n|' .. lane)) do count = count + tonumber(n) end
    lanes[#lanes + 1] = count .. ' ' .. lane
  end
end
return { rooms, lanes }
