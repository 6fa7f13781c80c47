-- Ends the lease of a boot. Its slot stays with it as after any lease.
-- KEYS: lease, reservation. ARGV: boot, reservation in ms.
local lease = redis.call('GET', KEYS[1])
if lease and string.sub(lease, 1, 16) == ARGV[1] then
  redis.call('DEL', KEYS[1])
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
end
return 1
