-- Whether a server shows at once what was written to it: then a run reads its own writes back before it ends. Unknown of what
-- was connected before this column was there.
ALTER TABLE sync_cursor ADD COLUMN reads_own_writes INTEGER;
