-- What the views must look at, for the one instance that keeps them. ARGV: who asks, for how many milliseconds it may keep
-- the views, how many. Answers with whether it may, and for each: what it is, the record of its task, and how many
-- leases its agent holds. They stay noted until `moved` says that they were seen.
local holder = call('GET', B .. '|mover')
if holder and holder ~= ARGV[1] then return { 0, {} } end
call('SET', B .. '|mover', ARGV[1], 'PX', ARGV[2])
if call('EXISTS', B .. '|moving') == 0 then
  if call('EXISTS', B .. '|moved') == 0 then return { 1, {} } end
  -- What moves while these are looked at is noted apart.
  call('RENAME', B .. '|moved', B .. '|moving')
end
local found = {}
for _, what in ipairs(call('SRANDMEMBER', B .. '|moving', ARGV[3])) do
  local kind, rest = match(what, '^(%a) (.*)$')
  local record, load = '', '0'
  if kind == 't' then
    record = call('HGET', TASKS, rest) or ''
  elseif kind == 'l' then
    record = call('HGET', TASKS, match(rest, ' (.*)$')) or ''
  elseif kind == 'a' then
    load = call('HGET', LOAD, rest) or '0'
  end
  found[#found + 1] = what
  found[#found + 1] = record
  found[#found + 1] = load
end
return { 1, found }
