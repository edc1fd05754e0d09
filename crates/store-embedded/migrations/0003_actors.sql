-- Events tell who caused them. Their blocks keep their columns: an event says by its first byte which form it has. The number
-- of this form keeps older programs, which would take such events for damage, from opening the file.
SELECT 1;
