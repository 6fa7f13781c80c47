-- Appends entries if the log's last one is the one that the owner knows of.
-- KEYS: log. ARGV: last entry or nothing, lowest entry to keep or nothing, expiry in ms, then id,
-- writer, kind and payload of each entry.
local top = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if (top and top[1] or '') ~= ARGV[1] then
  return top and {'diverged', top[1], top[2][2]} or {'diverged'}
end
for index = 4, #ARGV, 4 do
  redis.call('XADD', KEYS[1], ARGV[index], 'w', ARGV[index + 1], 'k', ARGV[index + 2],
    'p', ARGV[index + 3])
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if ARGV[2] ~= '' then
  redis.call('XTRIM', KEYS[1], 'MINID', ARGV[2])
end
return {'appended'}
