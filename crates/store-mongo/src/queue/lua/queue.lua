-- The ready queue of one namespace, in one slot. The same order as crates/store/src/hot/ready keeps in memory.
--
-- KEYS[1] is what all keys begin with; '|' separates parts, for no id or name holds it. Below it:
--   |tasks              hash   task -> record (see `parse`)
--   |lanes|TARGET       set    lanes with tasks; TARGET is empty for 'any agent'
--   |l|LANE             zset   priorities with tasks
--   |n|LANE             hash   priority -> number of tasks
--   |v|LANE|PRIO        zset   groups (pipelines) with tasks, by virtual time
--   |q|LANE|PRIO|GROUP  zset   order and task, all of score 0, so in the order of their bytes
--   |t|PRIO             hash   group -> virtual time
--   |g|PRIO|GROUP       set    lanes where the group has tasks
--   |a|PRIO             zset   groups without tasks that are still ahead, by virtual time
--   |c                  hash   priority -> the furthest time that was given a turn
--   |later              zset   tasks whose time has not come, by that time
--   |taken              zset   reservations, by when they run out (this server's clock)
--   |aside|AGENT        set    tasks reserved for an agent
--   |grants             hash   task -> an assignment that its document does not say yet (see entry.rs)
--   |granted            zset   those tasks, by when they were given out (this server's clock)
--   |given|AGENT        set    those tasks of an agent
--   |held|AGENT|SESSION set    tasks leased to a session, or granted
--   |load               hash   agent -> how many leases it holds, in all its sessions
--   |ended              zset   records of ended tasks, by when they ended (this server's clock)
--   |ready              string how many tasks could be given out
--   |moved, |moving     set    what the views must look at, and what is being looked at
--   |mover              string the instance that keeps the views
--   |epoch              string the server's run id when the queue was last built wholly
--   |new                string for ten seconds after it was built where nothing was: grants may be missing
--
-- A call of a command costs more than the command, so those that nobody in the script asks the outcome of are gathered
-- (`later_on`) and made once per key, in `flush`.
local call = redis.call
local B = KEYS[1]
local TASKS, LATER, TAKEN, ENDED, CLOCKS, LOAD =
  B .. '|tasks', B .. '|later', B .. '|taken', B .. '|ended', B .. '|c', B .. '|load'
local GRANTS, GRANTED = B .. '|grants', B .. '|granted'
local match, sub, concat = string.match, string.sub, table.concat

-- How long the record of an ended task turns old news away, in milliseconds.
local ENDED_KEPT = 10000

-- Most arguments of one command: Lua's stack holds about eight thousand.
local ARGUMENTS = 4000

local time = call('TIME')
local clock_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local ready = 0       -- change of the number of ready tasks
local woken = {}      -- lane -> tasks that became ready
local freed = {}      -- agents of which a slot became free
local moved = {}      -- what the views must look at, as keys
local texts = {}      -- task -> its record, or false, as far as it was read or written here
local clocks = {}     -- priority -> the furthest time, as far as it was read
local gathered = {}   -- command -> key -> arguments
local order = {}      -- the commands and keys of `gathered`, in the order they came up
local counts = {}     -- lane -> priority -> number of tasks, as far as it was read
local joined = {}     -- keys of groups' tasks that are known to have some
local lanes_of = {}   -- key of a group's lanes -> the lanes, as far as they were read
local behind = {}     -- priority -> whether groups without tasks are still ahead, as far as it was read
local turned = {}     -- priorities of which the furthest time changed
local held_on = {}    -- key of a session's leases -> { agent, tasks to put in }
local held_off = {}   -- key of a session's leases -> { agent, tasks to take out }
local holding = {}    -- tasks in `held_on`

local function later_on(command, key, ...)
  local keys = gathered[command]
  if not keys then
    keys = {}
    gathered[command] = keys
  end
  local arguments = keys[key]
  if not arguments then
    arguments = {}
    keys[key] = arguments
    order[#order + 1] = { command, key }
  end
  local n = #arguments
  for i = 1, select('#', ...) do arguments[n + i] = (select(i, ...)) end
end

-- Makes the calls that were gathered. They commute: no script takes out of a set what it put in before a flush.
local function flush()
  local calls = order
  order = {}
  for _, each in ipairs(calls) do
    local arguments = gathered[each[1]][each[2]]
    gathered[each[1]][each[2]] = nil
    for first = 1, #arguments, ARGUMENTS do
      call(each[1], each[2], unpack(arguments, first, math.min(first + ARGUMENTS - 1, #arguments)))
    end
  end
end

-- A record: PLACE|TOKEN|REVISION|STATUS|BLOCKED|AT|LANE|PRIO|GROUP|ORDER|AGENT|SESSION|SINCE|
-- PLACE is q queued, l later, n nowhere (waits for tasks), t taken, g granted, h held, x ended.
-- TOKEN is 'AGENT NONCE' of a task that is taken, 'AGENT SESSION SINCE' of one that is granted.
-- What the caller brings begins with the revision.
local FIELDS = '^([^|]*)|(.)|(.)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|'
local function parse_rest(place, token, rest)
  local revision, status, blocked, at, lane, prio, group, ord, agent, session, since = match(rest, FIELDS)
  return {
    place = place, token = token, rest = rest,
    revision = tonumber(revision), status = status, blocked = blocked == '1',
    at = tonumber(at), lane = lane, prio = prio, group = group, order = ord,
    agent = agent, session = session, since = since,
  }
end

local function read_ahead(ids)
  for first = 1, #ids, ARGUMENTS do
    local some = { unpack(ids, first, math.min(first + ARGUMENTS - 1, #ids)) }
    local found = call('HMGET', TASKS, unpack(some))
    for i, id in ipairs(some) do texts[id] = found[i] end
  end
end

local function read(id)
  local text = texts[id]
  if text == nil then
    text = call('HGET', TASKS, id)
    texts[id] = text
  end
  if not text then return nil end
  local place, token, rest = match(text, '^([^|]*)|([^|]*)|(.*)$')
  local task = parse_rest(place, token, rest)
  -- What its document does not say yet.
  if place == 'g' then task.agent, task.session = match(token, '^([^ ]*) ([^ ]*) ') end
  return task
end

local function write(id, task)
  local text = task.place .. '|' .. task.token .. '|' .. task.rest
  texts[id] = text
  later_on('HSET', TASKS, id, text)
end

-- Strings by their bytes: the operator `<` follows the server's locale.
local function before(a, b)
  local n = math.min(#a, #b)
  for i = 1, n do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- A lane is called 'TARGET/CAPABILITY,CAPABILITY,...'.
local function target_of(lane)
  return match(lane, '^([^/]*)/')
end

local function capabilities_of(lane)
  return match(lane, '/(.*)$')
end

-- Who a reservation was made for.
local function taker_of(task)
  return match(task.token, '^([^ ]*)')
end

local function tasks_key(task)
  return B .. '|q|' .. task.lane .. '|' .. task.prio .. '|' .. task.group
end

local function clock_of(prio)
  local clock = clocks[prio]
  if not clock then
    clock = tonumber(call('HGET', CLOCKS, prio) or '0')
    clocks[prio] = clock
  end
  return clock
end

-- Changes the number of tasks of a lane's priority; answers with it.
local function add_count(lane, prio, by)
  local of_lane = counts[lane]
  if not of_lane then
    of_lane = {}
    counts[lane] = of_lane
  end
  local count = of_lane[prio]
  if not count then count = tonumber(call('HGET', B .. '|n|' .. lane, prio) or '0') end
  count = count + by
  of_lane[prio] = count
  return count
end

local function write_counts()
  for lane, of_lane in pairs(counts) do
    for prio, count in pairs(of_lane) do
      if count > 0 then
        call('HSET', B .. '|n|' .. lane, prio, count)
      else
        call('HDEL', B .. '|n|' .. lane, prio)
      end
    end
  end
  counts = {}
end

-- The group has no task in this lane any more.
local function leave(task)
  local times, absent = B .. '|t|' .. task.prio, B .. '|a|' .. task.prio
  local lanes = B .. '|g|' .. task.prio .. '|' .. task.group
  joined[tasks_key(task)], lanes_of[lanes] = nil, nil
  call('SREM', lanes, task.lane)
  call('ZREM', B .. '|v|' .. task.lane .. '|' .. task.prio, task.group)
  if call('EXISTS', lanes) == 1 then return end
  local turn = tonumber(call('HGET', times, task.group) or '0')
  if turn > clock_of(task.prio) then
    call('ZADD', absent, turn, task.group)
    behind[task.prio] = true
  else
    call('HDEL', times, task.group)
  end
  if call('HLEN', times) == call('ZCARD', absent) then
    call('DEL', times, absent)
    call('HDEL', CLOCKS, task.prio)
    clocks[task.prio], turned[task.prio], behind[task.prio] = 0, nil, false
  end
end

-- A task left its lane; `empty` when it was the group's last there.
local function uncount(task, empty)
  ready = ready - 1
  if empty then leave(task) end
  if add_count(task.lane, task.prio, -1) <= 0 then
    call('ZREM', B .. '|l|' .. task.lane, task.prio)
    if call('EXISTS', B .. '|l|' .. task.lane) == 0 then
      call('SREM', B .. '|lanes|' .. target_of(task.lane), task.lane)
    end
    return true
  end
  return false
end

local function dequeue(id, task)
  flush()
  local tasks = tasks_key(task)
  if call('ZREM', tasks, task.order .. id) == 0 then return end
  uncount(task, call('EXISTS', tasks) == 0)
end

-- The group has its first task in this lane.
local function join(task)
  local times = B .. '|t|' .. task.prio
  local lanes = B .. '|g|' .. task.prio .. '|' .. task.group
  local clock = clock_of(task.prio)
  local turn = tonumber(call('HGET', times, task.group) or clock)
  if call('EXISTS', lanes) == 0 then
    call('ZREM', B .. '|a|' .. task.prio, task.group)
    if clock > turn then turn = clock end
  end
  lanes_of[lanes] = nil
  call('HSET', times, task.group, turn)
  call('SADD', lanes, task.lane)
  call('ZADD', B .. '|v|' .. task.lane .. '|' .. task.prio, turn, task.group)
end

-- The task must not be queued yet.
local function enqueue(id, task)
  local tasks = tasks_key(task)
  if not joined[tasks] then
    if call('EXISTS', tasks) == 0 then join(task) end
    joined[tasks] = true
  end
  later_on('ZADD', tasks, 0, task.order .. id)
  ready = ready + 1
  if add_count(task.lane, task.prio, 1) == 1 then
    call('ZADD', B .. '|l|' .. task.lane, task.prio, task.prio)
    call('SADD', B .. '|lanes|' .. target_of(task.lane), task.lane)
  end
  woken[task.lane] = (woken[task.lane] or 0) + 1
end

local function change_load(agent, by)
  if by ~= 0 and call('HINCRBY', LOAD, agent, by) <= 0 then call('HDEL', LOAD, agent) end
end

local function change_held()
  for key, off in pairs(held_off) do
    local count = 0
    for first = 1, #off[2], ARGUMENTS do
      count = count + call('SREM', key, unpack(off[2], first, math.min(first + ARGUMENTS - 1, #off[2])))
    end
    change_load(off[1], -count)
  end
  for key, on in pairs(held_on) do
    local count = 0
    for first = 1, #on[2], ARGUMENTS do
      count = count + call('SADD', key, unpack(on[2], first, math.min(first + ARGUMENTS - 1, #on[2])))
    end
    change_load(on[1], count)
  end
  held_off, held_on, holding = {}, {}, {}
end

local function note_held(held, task, id)
  local key = B .. '|held|' .. task.agent .. '|' .. task.session
  if not held[key] then held[key] = { task.agent, {} } end
  local ids = held[key][2]
  ids[#ids + 1] = id
end

-- Takes a task from where it is. Its record is not written.
local function unplace(id, task)
  if task.place == 'q' then
    dequeue(id, task)
  elseif task.place == 'l' then
    call('ZREM', LATER, id)
  elseif task.place == 't' then
    later_on('ZREM', TAKEN, id)
    later_on('SREM', B .. '|aside|' .. taker_of(task), id)
  elseif task.place == 'h' or task.place == 'g' then
    -- What is put in before it is taken out must be there by then.
    if holding[id] then change_held() end
    note_held(held_off, task, id)
    if task.place == 'g' then
      later_on('ZREM', GRANTED, id)
      later_on('HDEL', GRANTS, id)
      later_on('SREM', B .. '|given|' .. task.agent, id)
      task.agent, task.session = '', ''
    end
  elseif task.place == 'x' then
    flush()
    call('ZREM', ENDED, id)
  end
  task.place, task.token = 'n', ''
end

-- Puts a task where its fields say, at this time of the callers' clock, and writes its record.
local function place(id, task, now)
  task.place, task.token = 'n', ''
  if task.status == 'p' or task.status == 'y' then
    if not task.blocked then
      if task.at <= now then
        task.place = 'q'
        enqueue(id, task)
      else
        task.place = 'l'
        call('ZADD', LATER, task.at, id)
      end
    end
  elseif task.status == 'x' then
    task.place = 'x'
    later_on('ZADD', ENDED, clock_ms, id)
  else
    task.place = 'h'
    holding[id] = true
    note_held(held_on, task, id)
  end
  write(id, task)
end

-- Whether a task is held, as far as is known: its document says so, or it was granted.
local function is_held(task)
  return task.place == 'h' or task.place == 'g'
end

-- Queues tasks whose time has come.
local PROMOTED_MAX = 1000
local function promote(now)
  local ids = call('ZRANGEBYSCORE', LATER, '-inf', now, 'LIMIT', 0, PROMOTED_MAX)
  for _, id in ipairs(ids) do
    local task = read(id)
    call('ZREM', LATER, id)
    if task and task.place == 'l' then place(id, task, now) end
  end
end

-- Returns what was reserved and not committed in time.
local REAPED_MAX = 1000
local function reap(now)
  local ids = call('ZRANGEBYSCORE', TAKEN, '-inf', clock_ms, 'LIMIT', 0, REAPED_MAX)
  for _, id in ipairs(ids) do
    local task = read(id)
    if task and task.place == 't' then
      freed[taker_of(task)] = true
      unplace(id, task)
      place(id, task, now)
    else
      call('ZREM', TAKEN, id)
    end
  end
end

-- Forgets ended tasks that turned old news away for long enough.
local function forget_ended(limit)
  local ids = call('ZRANGEBYSCORE', ENDED, '-inf', clock_ms - ENDED_KEPT, 'LIMIT', 0, limit)
  if #ids > 0 then
    call('HDEL', TASKS, unpack(ids))
    call('ZREM', ENDED, unpack(ids))
  end
end

local function room_of(agent, session, concurrency)
  return concurrency - call('SCARD', B .. '|held|' .. agent .. '|' .. session)
    - call('SCARD', B .. '|aside|' .. agent)
end

-- Writes what was gathered and tells the instances. Answers whether the queue is whole.
local function finish(channel, namespace)
  flush()
  change_held()
  write_counts()
  for prio in pairs(turned) do call('HSET', CLOCKS, prio, clocks[prio]) end
  if ready ~= 0 then call('INCRBY', B .. '|ready', ready) end
  for what in pairs(moved) do later_on('SADD', B .. '|moved', what) end
  flush()
  if next(woken) or next(freed) then
    local lanes, agents = {}, {}
    for lane, count in pairs(woken) do lanes[#lanes + 1] = count .. ' ' .. lane end
    for agent in pairs(freed) do agents[#agents + 1] = agent end
    call('PUBLISH', channel, namespace .. '\n' .. concat(lanes, '|') .. '\n' .. concat(agents, '|'))
  end
  return call('EXISTS', B .. '|epoch')
end
