-- The views have seen these. ARGV: who says so, then what.
if call('GET', B .. '|mover') ~= ARGV[1] then return 0 end
for at = 2, #ARGV do later_on('SREM', B .. '|moving', ARGV[at]) end
flush()
return 1
