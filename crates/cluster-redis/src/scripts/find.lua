-- Finds the last entry of a log and whether its writer's lease lives.
-- KEYS: log. ARGV: prefix of leases.
local top = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if not top then
  return {}
end
local writer = top[2][2]
local slot, boot = string.match(writer, '^(%d+)%.(%x+)$')
local lease = slot and redis.call('GET', ARGV[1] .. slot)
local is_leased = lease and string.sub(lease, 1, 16) == boot
return {top[1], writer, is_leased and 1 or 0}
