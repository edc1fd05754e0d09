-- The views have seen these. ARGV: who says so, then what.
if call('GET', key('mover')) ~= ARGV[1] then return 0 end
for at = 2, #ARGV do call('SREM', key('moving'), ARGV[at]) end
return 1
