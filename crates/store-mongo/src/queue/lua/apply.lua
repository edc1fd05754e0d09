-- Takes in changes. ARGV: channel, namespace, now, '1' to keep what the views must look at, '1' to verify what is
-- known already (a server that drops keys tears it apart), then for each task: id, fields from the revision on.
-- Answers with whether the queue is whole and how many tasks were not where their records say.
local now, views, verify = tonumber(ARGV[3]), ARGV[4] == '1', ARGV[5] == '1'

local function in_place(id, task)
  if task.place == 'q' then
    return call('ZSCORE', tasks_key(task), task.order .. id)
      and call('SISMEMBER', B .. '|lanes|' .. target_of(task.lane), task.lane) == 1
      and call('ZSCORE', B .. '|l|' .. task.lane, task.prio)
      and call('ZSCORE', B .. '|v|' .. task.lane .. '|' .. task.prio, task.group)
  elseif task.place == 'l' then
    return call('ZSCORE', LATER, id)
  elseif task.place == 'h' then
    return call('SISMEMBER', B .. '|held|' .. task.agent .. '|' .. task.session, id) == 1
  elseif task.place == 'g' then
    return call('ZSCORE', GRANTED, id) and call('HEXISTS', GRANTS, id) == 1
      and call('SISMEMBER', B .. '|held|' .. task.agent .. '|' .. task.session, id) == 1
  elseif task.place == 't' then
    return call('ZSCORE', TAKEN, id)
  elseif task.place == 'x' then
    return call('ZSCORE', ENDED, id)
  end
  return true
end

local count, torn = 0, 0
local ids = {}
for at = 6, #ARGV, 2 do ids[#ids + 1] = ARGV[at] end
read_ahead(ids)
if verify then
  -- Before anything moves, so that everything is where its record says or lost.
  for at = 6, #ARGV, 2 do
    local id = ARGV[at]
    local task = read(id)
    if task then
      if not in_place(id, task) then torn = torn + 1 end
    else
      -- Its record was lost, and the rest was not.
      local new = parse_rest('q', '', ARGV[at + 1])
      if call('ZSCORE', tasks_key(new), new.order .. id) then torn = torn + 1 end
    end
  end
end
for at = 6, #ARGV, 2 do
  local id, new = ARGV[at], parse_rest('n', '', ARGV[at + 1])
  local old = read(id)
  local left = old and old.agent or ''
  local newer = not old or old.revision < new.revision
    or (old.revision == new.revision and old.blocked and not new.blocked)
  if newer then
    count = count + 1
    if old then
      if old.place == 't' then freed[taker_of(old)] = true end
      if is_held(old) and new.status ~= 'a' and new.status ~= 'r' then freed[old.agent] = true end
      unplace(id, old)
    end
    -- A task that ended before it was ever known here needs its record too: older news may follow.
    place(id, new, now)
  end
  if views and (newer or verify) then
    moved['t ' .. id] = true
    if left ~= '' and left ~= new.agent then
      moved['l ' .. left .. ' ' .. id] = true
      moved['a ' .. left] = true
    end
    if new.agent ~= '' then moved['a ' .. new.agent] = true end
    if new.group ~= '' then moved['p ' .. new.group] = true end
  end
end
forget_ended(2 * count + 10)
return { finish(ARGV[1], ARGV[2]), torn }
