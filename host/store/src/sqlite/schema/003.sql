-- Batch jobs that wait for their turn in a queue, and the rest of their settings (domain 4).
ALTER TABLE job ADD COLUMN deactivate_deleted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN content_language TEXT;
-- NULL: it was run at once.
ALTER TABLE job ADD COLUMN queue TEXT;
ALTER TABLE job ADD COLUMN scheduled INTEGER;
-- The instant to take as now, where one was given when the job was scheduled.
ALTER TABLE job ADD COLUMN fixed_as_of INTEGER;
-- The columns as_of and started say something only of a job that began.
ALTER TABLE job ADD COLUMN begun INTEGER NOT NULL DEFAULT 1;
ALTER TABLE job ADD COLUMN cancel_requested INTEGER NOT NULL DEFAULT 0;
CREATE INDEX job_waiting ON job (id) WHERE state = 'scheduled';

-- Texts of definitions in further content languages.
CREATE TABLE definition_text (
  definition TEXT NOT NULL REFERENCES definition (name),
  language TEXT NOT NULL,
  subject TEXT NOT NULL,
  description TEXT NOT NULL,
  PRIMARY KEY (definition, language)
) STRICT, WITHOUT ROWID;

-- What was written lately, which servers must speak of.
CREATE INDEX operation_by_run ON operation (profile, run);
DROP INDEX operation_by_profile;
