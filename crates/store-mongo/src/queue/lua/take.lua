-- Sets the best tasks aside for an offer. ARGV: channel, namespace, now, agent, session, capabilities joined by ',',
-- concurrency, most tasks, nonce, how long in milliseconds. Answers with whether the queue is whole, the free slots
-- before, and the tasks, each with its revision. A queue that is not whole gives out nothing: there may be better tasks.
if call('EXISTS', B .. '|epoch') == 0 then return { 0, 0, {} } end
local now, agent, session = tonumber(ARGV[3]), ARGV[4], ARGV[5]
local token, kept = ARGV[4] .. ' ' .. ARGV[9], clock_ms + tonumber(ARGV[10])
reap(now)
promote(now)
flush()
change_held()
local room = room_of(agent, session, tonumber(ARGV[7]))
local most = math.min(room, tonumber(ARGV[8]))
local taken = {}
local heads = {}      -- lane -> its best group, or false, while it is known

local offered = {}
for capability in string.gmatch(ARGV[6], '[^,]+') do offered[capability] = true end
local function suits(capabilities)
  for capability in string.gmatch(capabilities, '[^,]+') do
    if not offered[capability] then return false end
  end
  return true
end

local function head_of(lane)
  local prio = call('ZREVRANGE', B .. '|l|' .. lane, 0, 0)[1]
  if not prio then return false end
  local turn = call('ZRANGE', B .. '|v|' .. lane .. '|' .. prio, 0, 0, 'WITHSCORES')
  if not turn[1] then return false end
  return {
    lane = lane, prio = prio, rank = tonumber(prio), turn = tonumber(turn[2]), group = turn[1],
    tasks = B .. '|q|' .. lane .. '|' .. prio .. '|' .. turn[1],
  }
end

local function first_of(head)
  if not head.first then head.first = call('ZRANGE', head.tasks, 0, 0)[1] or '' end
  return head.first
end

local function beats(a, b)
  if a.rank ~= b.rank then return a.rank > b.rank end
  if a.turn ~= b.turn then return a.turn < b.turn end
  return before(first_of(a), first_of(b))
end

-- The group has its turn: it goes behind the others in all lanes where it waits.
local function take_turn(head)
  local prio, group = head.prio, head.group
  local times, absent = B .. '|t|' .. prio, B .. '|a|' .. prio
  local clock = math.max(clock_of(prio), head.turn)
  clocks[prio], turned[prio] = clock, true
  if behind[prio] == nil then behind[prio] = call('EXISTS', absent) == 1 end
  if behind[prio] then
    -- Those that the clock has reached would begin at the clock again.
    for _, passed in ipairs(call('ZRANGEBYSCORE', absent, '-inf', clock)) do
      call('HDEL', times, passed)
      call('ZREM', absent, passed)
    end
  end
  call('HSET', times, group, clock + 1)
  local key = B .. '|g|' .. prio .. '|' .. group
  if not lanes_of[key] then lanes_of[key] = call('SMEMBERS', key) end
  for _, lane in ipairs(lanes_of[key]) do
    call('ZADD', B .. '|v|' .. lane .. '|' .. prio, clock + 1, group)
    heads[lane] = nil
  end
end

if most > 0 then
  local lanes = {}
  for _, target in ipairs({ '', agent }) do
    for _, lane in ipairs(call('SMEMBERS', B .. '|lanes|' .. target)) do
      if suits(capabilities_of(lane)) then lanes[#lanes + 1] = lane end
    end
  end
  while #taken < 2 * most do
    local best = nil
    for _, lane in ipairs(lanes) do
      local head = heads[lane]
      if head == nil then
        head = head_of(lane)
        heads[lane] = head
      end
      if head and (not best or beats(head, best)) then best = head end
    end
    if not best then break end
    heads[best.lane] = nil
    local first = call('ZPOPMIN', best.tasks)[1]
    if not first then
      -- A key was lost. The group goes from here, and a sweep will find out.
      leave(best)
    else
      local id = sub(first, 33)
      local task = read(id)
      local whole = task and task.place == 'q'
      if whole then take_turn(best) end
      uncount(best, call('EXISTS', best.tasks) == 0)
      if whole then
        task.place, task.token = 't', token
        write(id, task)
        later_on('ZADD', TAKEN, kept, id)
        later_on('SADD', B .. '|aside|' .. agent, id)
        taken[#taken + 1] = id
        taken[#taken + 1] = tostring(task.revision)
      end
    end
  end
end
local whole = finish(ARGV[1], ARGV[2])
return { whole, room, taken }
