-- Takes or renews the lease of a slot, unless another boot has it or had it in the last minute.
-- KEYS: lease, reservation, slots. ARGV: boot, sealed card, lease in ms, reservation in ms, slot.
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[4])
redis.call('SADD', KEYS[3], ARGV[5])
redis.call('PEXPIRE', KEYS[3], ARGV[4])
return 1
