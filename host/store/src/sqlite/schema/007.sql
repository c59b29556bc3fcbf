-- The mark that the items bear which a run wrote. Runs of before this column was there have none.
ALTER TABLE sync_run ADD COLUMN writer TEXT NOT NULL DEFAULT '';
CREATE INDEX sync_run_by_writer ON sync_run (writer) WHERE writer <> '';
