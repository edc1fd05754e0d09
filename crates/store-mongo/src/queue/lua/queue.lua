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
--   |held|AGENT|SESSION set    tasks leased to a session
--   |load               hash   agent -> how many leases it holds, in all its sessions
--   |ended              zset   records of ended tasks, by when they ended (this server's clock)
--   |ready              string how many tasks could be given out
--   |moved, |moving     set    what the views must look at, and what is being looked at
--   |mover              string the instance that keeps the views
--   |epoch              string the server's run id when the queue was last built wholly
local call = redis.call
local B = KEYS[1]

-- How long the record of an ended task turns old news away, in milliseconds.
local ENDED_KEPT = 10000

local time = call('TIME')
local clock_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local ready = 0       -- change of the number of ready tasks
local woken = {}      -- lane -> tasks that became ready
local freed = {}      -- agents of which a slot became free
local moved = {}      -- what the views must look at
local heads = {}      -- lane -> its best task, while it is known

local function key(...)
  return B .. '|' .. table.concat({...}, '|')
end

-- A record: PLACE|TOKEN|REVISION|STATUS|BLOCKED|AT|LANE|PRIO|GROUP|ORDER|AGENT|SESSION|SINCE|
-- PLACE is q queued, l later, n nowhere (waits for tasks), t taken, h held, x ended.
-- What the caller brings begins with the revision.
local function parse(text)
  local place, token, rest = string.match(text, '^([^|]*)|([^|]*)|(.*)$')
  local field = {}
  for part in string.gmatch(rest, '([^|]*)|') do field[#field + 1] = part end
  return {
    place = place, token = token, rest = rest,
    revision = tonumber(field[1]), status = field[2], blocked = field[3] == '1',
    at = tonumber(field[4]), lane = field[5], prio = field[6], group = field[7], order = field[8],
    agent = field[9], session = field[10], since = field[11],
  }
end

local function read(id)
  local text = call('HGET', key('tasks'), id)
  return text and parse(text)
end

local function write(id, task)
  call('HSET', key('tasks'), id, task.place .. '|' .. task.token .. '|' .. task.rest)
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
  return string.match(lane, '^([^/]*)/')
end

local function capabilities_of(lane)
  return string.match(lane, '/(.*)$')
end

-- The group has no task in this lane any more.
local function leave(task)
  local times, lanes, absent = key('t', task.prio), key('g', task.prio, task.group), key('a', task.prio)
  call('SREM', lanes, task.lane)
  call('ZREM', key('v', task.lane, task.prio), task.group)
  if call('EXISTS', lanes) == 1 then return end
  local turn = tonumber(call('HGET', times, task.group) or '0')
  local clock = tonumber(call('HGET', key('c'), task.prio) or '0')
  if turn > clock then
    call('ZADD', absent, turn, task.group)
  else
    call('HDEL', times, task.group)
  end
  if call('HLEN', times) == call('ZCARD', absent) then
    call('DEL', times, absent)
    call('HDEL', key('c'), task.prio)
  end
end

local function dequeue(id, task)
  local tasks = key('q', task.lane, task.prio, task.group)
  if call('ZREM', tasks, task.order .. id) == 0 then return end
  heads[task.lane] = nil
  ready = ready - 1
  if call('EXISTS', tasks) == 0 then leave(task) end
  if call('HINCRBY', key('n', task.lane), task.prio, -1) <= 0 then
    call('HDEL', key('n', task.lane), task.prio)
    call('ZREM', key('l', task.lane), task.prio)
    if call('EXISTS', key('l', task.lane)) == 0 then
      call('SREM', key('lanes', target_of(task.lane)), task.lane)
    end
  end
end

-- The group has its first task in this lane.
local function join(task)
  local times, lanes = key('t', task.prio), key('g', task.prio, task.group)
  local clock = tonumber(call('HGET', key('c'), task.prio) or '0')
  local turn = tonumber(call('HGET', times, task.group) or clock)
  if call('EXISTS', lanes) == 0 then
    call('ZREM', key('a', task.prio), task.group)
    if clock > turn then turn = clock end
  end
  call('HSET', times, task.group, turn)
  call('SADD', lanes, task.lane)
  call('ZADD', key('v', task.lane, task.prio), turn, task.group)
end

local function enqueue(id, task)
  local tasks = key('q', task.lane, task.prio, task.group)
  if call('ZADD', tasks, 0, task.order .. id) == 0 then return end
  heads[task.lane] = nil
  ready = ready + 1
  if call('ZCARD', tasks) == 1 then join(task) end
  if call('HINCRBY', key('n', task.lane), task.prio, 1) == 1 then
    call('ZADD', key('l', task.lane), task.prio, task.prio)
    call('SADD', key('lanes', target_of(task.lane)), task.lane)
  end
  woken[task.lane] = (woken[task.lane] or 0) + 1
end

-- The group has its turn: it goes behind the others in all lanes where it waits.
local function take_turn(task)
  local times, absent = key('t', task.prio), key('a', task.prio)
  local turn = tonumber(call('HGET', times, task.group) or '')
  if not turn then return end
  local clock = math.max(tonumber(call('HGET', key('c'), task.prio) or '0'), turn)
  call('HSET', key('c'), task.prio, clock)
  for _, group in ipairs(call('ZRANGEBYSCORE', absent, '-inf', clock)) do
    call('HDEL', times, group)
    call('ZREM', absent, group)
  end
  call('HSET', times, task.group, clock + 1)
  for _, lane in ipairs(call('SMEMBERS', key('g', task.prio, task.group))) do
    call('ZADD', key('v', lane, task.prio), clock + 1, task.group)
    heads[lane] = nil
  end
end

local function unplace(id, task)
  if task.place == 'q' then
    dequeue(id, task)
  elseif task.place == 'l' then
    call('ZREM', key('later'), id)
  elseif task.place == 't' then
    call('ZREM', key('taken'), id)
    call('SREM', key('aside', string.match(task.token, '^([^ ]*)')), id)
  elseif task.place == 'h' then
    if call('SREM', key('held', task.agent, task.session), id) == 1
      and call('HINCRBY', key('load'), task.agent, -1) <= 0 then
      call('HDEL', key('load'), task.agent)
    end
  elseif task.place == 'x' then
    call('ZREM', key('ended'), id)
  end
  task.place, task.token = 'n', ''
end

-- Puts a task where its fields say, at this time of the callers' clock, and writes its record.
local function place(id, task, now)
  task.place, task.token = 'n', ''
  if task.status == 'p' or task.status == 'y' then
    if task.blocked then
      task.place = 'n'
    elseif task.at <= now then
      task.place = 'q'
      enqueue(id, task)
    else
      task.place = 'l'
      call('ZADD', key('later'), task.at, id)
    end
  elseif task.status == 'x' then
    task.place = 'x'
    call('ZADD', key('ended'), clock_ms, id)
  else
    task.place = 'h'
    if call('SADD', key('held', task.agent, task.session), id) == 1 then
      call('HINCRBY', key('load'), task.agent, 1)
    end
  end
  write(id, task)
end

-- Queues tasks whose time has come.
local PROMOTED_MAX = 1000
local function promote(now)
  local ids = call('ZRANGEBYSCORE', key('later'), '-inf', now, 'LIMIT', 0, PROMOTED_MAX)
  for _, id in ipairs(ids) do
    local task = read(id)
    call('ZREM', key('later'), id)
    if task and task.place == 'l' then place(id, task, now) end
  end
  return #ids
end

-- Returns what was reserved and not committed in time.
local REAPED_MAX = 1000
local function reap(now)
  local ids = call('ZRANGEBYSCORE', key('taken'), '-inf', clock_ms, 'LIMIT', 0, REAPED_MAX)
  for _, id in ipairs(ids) do
    local task = read(id)
    if task and task.place == 't' then
      freed[string.match(task.token, '^([^ ]*)')] = true
      unplace(id, task)
      place(id, task, now)
    else
      call('ZREM', key('taken'), id)
    end
  end
end

-- Forgets ended tasks that turned old news away for long enough.
local function forget_ended(limit)
  local ids = call('ZRANGEBYSCORE', key('ended'), '-inf', clock_ms - ENDED_KEPT, 'LIMIT', 0, limit)
  for _, id in ipairs(ids) do
    call('HDEL', key('tasks'), id)
    call('ZREM', key('ended'), id)
  end
end

local function room_of(agent, session, concurrency)
  return concurrency - call('SCARD', key('held', agent, session)) - call('SCARD', key('aside', agent))
end

-- Writes the sums and tells the instances. Whether the queue is whole.
local function finish(channel, namespace)
  if ready ~= 0 then call('INCRBY', key('ready'), ready) end
  for first = 1, #moved, 1000 do
    call('SADD', key('moved'), unpack(moved, first, math.min(first + 999, #moved)))
  end
  if channel ~= '' and (next(woken) or next(freed)) then
    local lanes, agents = {}, {}
    for lane, count in pairs(woken) do
      lanes[#lanes + 1] = count .. ' ' .. lane
    end
    for agent in pairs(freed) do agents[#agents + 1] = agent end
    call('PUBLISH', channel, namespace .. '\n' .. table.concat(lanes, '|') .. '\n' .. table.concat(agents, '|'))
  end
  return call('EXISTS', key('epoch'))
end
