-- The grants of an agent. ARGV: agent. Answers with whether the queue is whole, and for each grant its task and itself.
local found = {}
for _, id in ipairs(call('SMEMBERS', B .. '|given|' .. ARGV[1])) do
  local grant = call('HGET', GRANTS, id)
  if grant then
    found[#found + 1] = id
    found[#found + 1] = grant
  end
end
return { call('EXISTS', B .. '|epoch'), found }
