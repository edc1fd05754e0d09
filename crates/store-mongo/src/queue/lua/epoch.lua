-- Whether the queue is whole and of this run of the server. ARGV: 'look' answers so, and forgets an epoch of
-- another run, for a server that came back from a snapshot lacks what happened since; 'built' says that it is whole now.
local run = match(call('INFO', 'server'), 'run_id:(%w+)') or ''
if ARGV[1] == 'built' then
  call('SET', B .. '|epoch', run)
  return 1
end
local epoch = call('GET', B .. '|epoch')
if epoch and epoch ~= run then
  call('DEL', B .. '|epoch')
  return 0
end
return epoch and 1 or 0
