-- What the views must look at, for the one instance that keeps them. ARGV: who asks, for how many milliseconds it may keep
-- the views, how many. Answers with whether it may, and for each: what it is, the record of its task, and how many
-- leases its agent holds. They stay noted until `moved` says that they were seen.
local holder = call('GET', key('mover'))
if holder and holder ~= ARGV[1] then return { 0, {} } end
call('SET', key('mover'), ARGV[1], 'PX', ARGV[2])
if call('EXISTS', key('moving')) == 0 then
  if call('EXISTS', key('moved')) == 0 then return { 1, {} } end
  -- What moves while these are looked at is noted apart.
  call('RENAME', key('moved'), key('moving'))
end
local found = {}
for _, what in ipairs(call('SRANDMEMBER', key('moving'), ARGV[3])) do
  local kind, rest = string.match(what, '^(%a) (.*)$')
  local record, load = '', '0'
  if kind == 't' then
    record = call('HGET', key('tasks'), rest) or ''
  elseif kind == 'l' then
    record = call('HGET', key('tasks'), string.match(rest, ' (.*)$')) or ''
  elseif kind == 'a' then
    load = call('HGET', key('load'), rest) or '0'
  end
  found[#found + 1] = what
  found[#found + 1] = record
  found[#found + 1] = load
end
return { 1, found }
