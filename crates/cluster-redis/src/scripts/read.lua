-- Reads a log backwards to its last snapshot.
-- KEYS: log. ARGV: most entries, most bytes.
local entries, bytes, before = {}, 0, '+'
while true do
  local part = redis.call('XREVRANGE', KEYS[1], before, '-', 'COUNT', 64)
  for _, entry in ipairs(part) do
    local fields = entry[2]
    entries[#entries + 1] = {entry[1], fields[2], fields[4], fields[6]}
    bytes = bytes + #fields[6]
    if #entries > tonumber(ARGV[1]) or bytes > tonumber(ARGV[2]) then
      return redis.error_reply('TOOLARGE the log of a room is too large')
    end
    if fields[4] == 's' then
      return entries
    end
    before = '(' .. entry[1]
  end
  if #part < 64 then
    return entries
  end
end
