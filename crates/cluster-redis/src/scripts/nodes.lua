-- Lists the leases that live, after the name of the engine's memory, which is new if it was lost.
-- KEYS: memory, slots. ARGV: new name, its expiry in ms, prefix of leases, prefix of reservations.
local memory = redis.call('GET', KEYS[1]) or ARGV[1]
redis.call('SET', KEYS[1], memory, 'PX', ARGV[2])
local found = {memory}
for _, slot in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  local lease = redis.call('GET', ARGV[3] .. slot)
  if lease then
    found[#found + 1] = slot
    found[#found + 1] = lease
  elseif redis.call('EXISTS', ARGV[4] .. slot) == 0 then
    redis.call('SREM', KEYS[2], slot)
  end
end
return found
