-- The grants of an agent. ARGV: agent. Answers with whether none can be missing, and for each grant its task and itself.
-- A queue that is new was built from documents, which say nothing of what had been given out before.
local found = {}
for _, id in ipairs(call('SMEMBERS', B .. '|given|' .. ARGV[1])) do
  local grant = call('HGET', GRANTS, id)
  if grant then
    found[#found + 1] = id
    found[#found + 1] = grant
  end
end
local whole = call('EXISTS', B .. '|epoch') == 1 and call('EXISTS', B .. '|new') == 0
return { whole and 1 or 0, found }
