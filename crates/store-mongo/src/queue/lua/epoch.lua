-- Whether the queue is whole and of this run of the server. ARGV: 'look' answers so, and forgets an epoch of
-- another run, for a server that came back from a snapshot lacks what happened since; 'built' says that it is whole now.
-- ARGV[2], with 'built': for how many milliseconds one that was not whole before is new; 0 for one that lacks nothing.
local run = match(call('INFO', 'server'), 'run_id:(%w+)') or ''
if ARGV[1] == 'built' then
  if call('EXISTS', B .. '|epoch') == 0 and ARGV[2] ~= '0' then
    call('SET', B .. '|new', '1', 'PX', ARGV[2])
  end
  call('SET', B .. '|epoch', run)
  return 1
end
local epoch = call('GET', B .. '|epoch')
if epoch and epoch ~= run then
  call('DEL', B .. '|epoch')
  return 0
end
return epoch and 1 or 0
