-- Sets the best tasks aside for an offer. ARGV: channel, namespace, now, agent, session, capabilities joined by ',',
-- concurrency, most tasks, nonce, how long in milliseconds. Answers with whether the queue is whole, the free slots
-- before, and the tasks, each with its revision. A queue that is not whole gives out nothing: there may be better tasks.
local now, agent, session = tonumber(ARGV[3]), ARGV[4], ARGV[5]
local nonce, kept = ARGV[9], tonumber(ARGV[10])
if call('EXISTS', key('epoch')) == 0 then return { 0, 0, {} } end
reap(now)
promote(now)
local room = room_of(agent, session, tonumber(ARGV[7]))
local most = math.min(room, tonumber(ARGV[8]))
local taken = {}

local offered = {}
for capability in string.gmatch(ARGV[6], '[^,]+') do offered[capability] = true end
local function suits(capabilities)
  for capability in string.gmatch(capabilities, '[^,]+') do
    if not offered[capability] then return false end
  end
  return true
end

local function head_of(lane)
  local prio = call('ZREVRANGE', key('l', lane), 0, 0)[1]
  if not prio then return nil end
  local turn = call('ZRANGE', key('v', lane, prio), 0, 0, 'WITHSCORES')
  if not turn[1] then return nil end
  local first = call('ZRANGE', key('q', lane, prio, turn[1]), 0, 0)[1]
  if not first then return nil end
  return { prio = prio, rank = tonumber(prio), turn = tonumber(turn[2]), group = turn[1], first = first }
end

local function beats(a, b)
  if a.rank ~= b.rank then return a.rank > b.rank end
  if a.turn ~= b.turn then return a.turn < b.turn end
  return before(a.first, b.first)
end

if most > 0 then
  local lanes = {}
  for _, target in ipairs({ '', agent }) do
    for _, lane in ipairs(call('SMEMBERS', key('lanes', target))) do
      if suits(capabilities_of(lane)) then lanes[#lanes + 1] = lane end
    end
  end
  while #taken < 2 * most do
    local best, from = nil, nil
    for _, lane in ipairs(lanes) do
      local head = heads[lane]
      if head == nil then
        head = head_of(lane) or false
        heads[lane] = head
      end
      if head and (not best or beats(head, best)) then best, from = head, lane end
    end
    if not best then break end
    local id = string.sub(best.first, 33)
    local task = read(id)
    if task and task.place == 'q' then
      take_turn(task)
      dequeue(id, task)
      task.place, task.token = 't', agent .. ' ' .. nonce
      write(id, task)
      call('ZADD', key('taken'), clock_ms + kept, id)
      call('SADD', key('aside', agent), id)
      taken[#taken + 1] = id
      taken[#taken + 1] = tostring(task.revision)
    else
      -- A record was lost; what is left of the task goes too.
      dequeue(id, { lane = from, prio = best.prio, group = best.group, order = string.sub(best.first, 1, 32) })
    end
    heads[from] = nil
  end
end
local whole = finish(ARGV[1], ARGV[2])
return { whole, room, taken }
