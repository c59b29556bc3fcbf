-- Instants are seconds since 1970 in UTC, dates ISO 8601 text, flags 0 or 1. Rows are not deleted where a state will do.

CREATE TABLE organization (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  time_zone TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE partner (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  street TEXT NOT NULL,
  postcode TEXT NOT NULL,
  city TEXT NOT NULL,
  country TEXT NOT NULL,
  email TEXT NOT NULL,
  phone TEXT NOT NULL,
  blocked INTEGER NOT NULL,
  deletion_mark INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE employee (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  organization TEXT NOT NULL REFERENCES organization (id),
  manager TEXT REFERENCES employee (id) DEFERRABLE INITIALLY DEFERRED,
  user INTEGER NOT NULL,
  active INTEGER NOT NULL,
  sales_representative INTEGER NOT NULL,
  profile TEXT NOT NULL,
  blocked INTEGER NOT NULL,
  deletion_mark INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE channel (
  id TEXT NOT NULL PRIMARY KEY,
  description TEXT NOT NULL,
  organization TEXT NOT NULL REFERENCES organization (id),
  active INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE channel_partner (
  channel TEXT NOT NULL REFERENCES channel (id),
  external_id TEXT NOT NULL,
  partner TEXT NOT NULL REFERENCES partner (id),
  PRIMARY KEY (channel, external_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX channel_partner_by_partner ON channel_partner (partner);

CREATE TABLE definition (
  name TEXT NOT NULL PRIMARY KEY,
  active INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  kind TEXT NOT NULL,
  priority TEXT NOT NULL,
  subject TEXT NOT NULL,
  description TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE job (
  id INTEGER PRIMARY KEY,
  application TEXT NOT NULL,
  name TEXT NOT NULL,
  channel TEXT NOT NULL,
  user TEXT,
  changed_since TEXT NOT NULL,
  as_of INTEGER NOT NULL,
  state TEXT NOT NULL,
  started INTEGER NOT NULL,
  finished INTEGER
) STRICT;

CREATE TABLE job_part (
  job INTEGER NOT NULL REFERENCES job (id),
  application TEXT NOT NULL,
  position INTEGER NOT NULL,
  ledger TEXT NOT NULL,
  PRIMARY KEY (job, application)
) STRICT, WITHOUT ROWID;

CREATE TABLE job_message (
  job INTEGER NOT NULL REFERENCES job (id),
  position INTEGER NOT NULL,
  severity TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (job, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE job_stage (
  job INTEGER NOT NULL REFERENCES job (id),
  position INTEGER NOT NULL,
  report TEXT NOT NULL,
  PRIMARY KEY (job, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY,
  job INTEGER NOT NULL REFERENCES job (id),
  place TEXT NOT NULL,
  reason TEXT NOT NULL
) STRICT;
CREATE INDEX quarantine_by_job ON quarantine (job);

CREATE TABLE activity (
  id INTEGER PRIMARY KEY,
  channel TEXT NOT NULL,
  source_id TEXT NOT NULL,
  number TEXT NOT NULL,
  subject TEXT NOT NULL,
  description TEXT NOT NULL,
  kind TEXT NOT NULL,
  priority TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('planned', 'delayed', 'completed', 'completed-unprocessed')),
  start_at INTEGER NOT NULL,
  end_at INTEGER NOT NULL,
  start_day TEXT,
  end_day TEXT,
  completed_on INTEGER,
  completed_by TEXT,
  origin TEXT NOT NULL,
  attributes TEXT NOT NULL,
  created_by_job INTEGER NOT NULL,
  changed_by_job INTEGER NOT NULL
) STRICT;
CREATE INDEX activity_by_start ON activity (start_at);
CREATE INDEX activity_planned ON activity (channel, end_at) WHERE status = 'planned';

CREATE TABLE task (
  activity INTEGER NOT NULL PRIMARY KEY REFERENCES activity (id),
  employee TEXT NOT NULL REFERENCES employee (id)
) STRICT;
CREATE INDEX task_by_employee ON task (employee);

CREATE TABLE reference (
  activity INTEGER NOT NULL PRIMARY KEY REFERENCES activity (id),
  partner TEXT NOT NULL REFERENCES partner (id)
) STRICT;
CREATE INDEX reference_by_partner ON reference (partner);

-- A set of stages as it was in force: digests, configuration, settings of the definition.
CREATE TABLE stage_set (
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  description TEXT NOT NULL
) STRICT;

-- State per object of the source: what "last transfer" means.
CREATE TABLE transfer (
  id INTEGER PRIMARY KEY,
  channel TEXT NOT NULL,
  collection TEXT NOT NULL,
  source_id TEXT NOT NULL,
  activity INTEGER,
  seen BLOB NOT NULL,
  imported BLOB,
  stage_set INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  pending INTEGER NOT NULL,
  detail TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  job INTEGER NOT NULL,
  first_job INTEGER NOT NULL,
  record TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX transfer_by_source ON transfer (channel, collection, source_id);
CREATE INDEX transfer_pending ON transfer (channel, collection, id) WHERE pending = 1;

-- Where the source goes on after the last stored page.
CREATE TABLE cursor (
  channel TEXT NOT NULL,
  collection TEXT NOT NULL,
  source TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (channel, collection, source)
) STRICT, WITHOUT ROWID;
