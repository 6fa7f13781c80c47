-- Begins an epoch if the log's last one is the one that the claimant saw. An epoch is the second of
-- the claim, by the rule of `cluster::Epoch::of_claim`.
-- KEYS: log. ARGV: seen epoch or nothing, highest known epoch, claimant, expiry in ms, first second,
-- tolerance in seconds, highest epoch that there may be.
local top = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local last = top and tonumber(string.match(top[1], '^%d+'))
if last ~= tonumber(ARGV[1]) then
  return top and {'occupied', top[1], top[2][2]} or {'occupied'}
end
local least = math.max(last or 0, tonumber(ARGV[2])) + 1
local epoch = tonumber(redis.call('TIME')[1]) - tonumber(ARGV[5])
if epoch < least then
  if least - epoch <= tonumber(ARGV[6]) then
    return {'soon'}
  end
  epoch = least
end
if epoch > tonumber(ARGV[7]) then
  return {'soon'}
end
epoch = string.format('%.0f', epoch)
redis.call('XADD', KEYS[1], epoch .. '-0', 'w', ARGV[3], 'k', 'c', 'p', '')
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {'claimed', epoch}
