-- Takes in changes. ARGV: channel, namespace, now, '1' to keep what the views must look at, '1' to verify what is
-- known already (a server that drops keys tears it apart), then for each task: id, fields from the revision on.
-- Answers with whether the queue is whole and how many tasks were not where their records say.
local now, views, verify = tonumber(ARGV[3]), ARGV[4] == '1', ARGV[5] == '1'

local function in_place(id, task)
  if task.place == 'q' then
    return call('ZSCORE', key('q', task.lane, task.prio, task.group), task.order .. id)
      and call('SISMEMBER', key('lanes', target_of(task.lane)), task.lane) == 1
  elseif task.place == 'l' then
    return call('ZSCORE', key('later'), id)
  elseif task.place == 'h' then
    return call('SISMEMBER', key('held', task.agent, task.session), id) == 1
  elseif task.place == 't' then
    return call('ZSCORE', key('taken'), id)
  elseif task.place == 'x' then
    return call('ZSCORE', key('ended'), id)
  end
  return true
end

local count, torn = 0, 0
for at = 6, #ARGV, 2 do
  local id, new = ARGV[at], parse('n||' .. ARGV[at + 1])
  local old = read(id)
  local newer = not old or old.revision < new.revision
    or (old.revision == new.revision and old.blocked and not new.blocked)
  if verify and old and not in_place(id, old) then torn = torn + 1 end
  if newer then
    count = count + 1
    if old then
      if old.place == 't' then freed[string.match(old.token, '^([^ ]*)')] = true end
      if old.place == 'h' and new.status ~= 'a' and new.status ~= 'r' then freed[old.agent] = true end
      unplace(id, old)
    end
    -- A task that ended before it was ever known here needs its record too: older news may follow.
    place(id, new, now)
  end
  if views and (newer or verify) then
    moved[#moved + 1] = 't ' .. id
    if old and old.agent ~= '' and old.agent ~= new.agent then
      moved[#moved + 1] = 'l ' .. old.agent .. ' ' .. id
      moved[#moved + 1] = 'a ' .. old.agent
    end
    if new.agent ~= '' then moved[#moved + 1] = 'a ' .. new.agent end
    if new.group ~= '' then moved[#moved + 1] = 'p ' .. new.group end
  end
end
forget_ended(2 * count + 10)
return { finish(ARGV[1], ARGV[2]), torn }
