-- Activities of other origins than Mobile, what the synchronisation with Outlook keeps, IBUS settings, certificates.
-- Activities of other origins have no sales channel (''), and may have no customer.

-- Raised by every transaction that writes an activity; the number stands in each activity that it wrote.
CREATE TABLE revision (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  last INTEGER NOT NULL
) STRICT;
INSERT INTO revision (id, last) VALUES (1, 1);

ALTER TABLE activity ADD COLUMN entry TEXT NOT NULL DEFAULT 'appointment' CHECK (entry IN ('appointment', 'task'));
ALTER TABLE activity ADD COLUMN canceled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE activity ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE activity ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
UPDATE activity SET changed_at = coalesce((SELECT as_of FROM job WHERE job.id = activity.changed_by_job), 0);
CREATE UNIQUE INDEX activity_by_origin ON activity (origin, source_id) WHERE origin <> 'mobile';

-- Names of entries of the credential file, as JSON.
ALTER TABLE employee ADD COLUMN certificates TEXT NOT NULL DEFAULT '[]';

-- The passwords stand in the credential file.
CREATE TABLE ibus_settings (
  channel TEXT NOT NULL PRIMARY KEY REFERENCES channel (id) ON DELETE CASCADE,
  client_id TEXT NOT NULL,
  user TEXT NOT NULL,
  url TEXT NOT NULL,
  version TEXT NOT NULL,
  item_category TEXT NOT NULL,
  credential TEXT
) STRICT, WITHOUT ROWID;

-- Activity synchronization settings as JSON; those without a user are the database's.
CREATE TABLE sync_settings (
  user TEXT REFERENCES employee (id),
  settings TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX sync_settings_by_user ON sync_settings (ifnull(user, ''));

-- Numbers of profiles and links are never used again: keys of items and the audit refer to them.
CREATE TABLE profile (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  employee TEXT NOT NULL REFERENCES employee (id),
  connector TEXT NOT NULL,
  server TEXT NOT NULL,
  mailbox TEXT NOT NULL,
  calendar TEXT NOT NULL,
  tasks TEXT NOT NULL,
  credential TEXT,
  allow_private INTEGER NOT NULL,
  transfer INTEGER NOT NULL,
  text_priority TEXT NOT NULL,
  override_scope TEXT NOT NULL,
  deletion_policy TEXT NOT NULL,
  guards TEXT NOT NULL,
  active INTEGER NOT NULL
) STRICT;
-- A connector without a server is a place of its own.
CREATE UNIQUE INDEX profile_by_mailbox
  ON profile (iif(server = '', connector, server) COLLATE NOCASE, mailbox COLLATE NOCASE) WHERE mailbox <> '';

CREATE TABLE sync_cursor (
  profile INTEGER NOT NULL REFERENCES profile (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  cursor TEXT,
  window_start INTEGER NOT NULL,
  window_end INTEGER NOT NULL,
  collection TEXT NOT NULL,
  full_at INTEGER NOT NULL,
  listed INTEGER NOT NULL,
  rebuilt INTEGER NOT NULL,
  PRIMARY KEY (profile, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE link (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  profile INTEGER NOT NULL REFERENCES profile (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  headquarters TEXT,
  remote_id TEXT,
  collection TEXT NOT NULL,
  series TEXT,
  original_start INTEGER,
  our_id TEXT NOT NULL,
  incarnation INTEGER NOT NULL,
  origin TEXT NOT NULL,
  state TEXT NOT NULL,
  base TEXT NOT NULL,
  revision INTEGER NOT NULL,
  etag TEXT NOT NULL,
  recreated_at INTEGER,
  reverts TEXT NOT NULL,
  flaps TEXT NOT NULL,
  filtered_since INTEGER,
  note TEXT NOT NULL
) STRICT;
CREATE INDEX link_by_profile ON link (profile);
CREATE UNIQUE INDEX link_by_headquarters ON link (profile, kind, headquarters)
  WHERE state NOT IN ('tombstone', 'unlinked');
CREATE UNIQUE INDEX link_by_remote_id ON link (profile, kind, remote_id)
  WHERE state NOT IN ('tombstone', 'unlinked');

-- What was seen and not yet dealt with.
CREATE TABLE observation (
  profile INTEGER NOT NULL REFERENCES profile (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  remote_id TEXT NOT NULL,
  seen TEXT NOT NULL,
  run INTEGER NOT NULL,
  PRIMARY KEY (profile, kind, remote_id)
) STRICT, WITHOUT ROWID;

-- The journal of writes to Outlook.
CREATE TABLE operation (
  id INTEGER PRIMARY KEY,
  profile INTEGER NOT NULL REFERENCES profile (id) ON DELETE CASCADE,
  run INTEGER NOT NULL,
  link INTEGER NOT NULL REFERENCES link (id) ON DELETE CASCADE,
  push TEXT NOT NULL,
  state TEXT NOT NULL,
  sent_at INTEGER NOT NULL,
  rounds INTEGER NOT NULL
) STRICT;
CREATE INDEX operation_unsettled ON operation (profile, id) WHERE state = 'sent';
CREATE INDEX operation_by_profile ON operation (profile);
CREATE INDEX operation_by_link ON operation (link);

-- What was changed, and what was there before. `digest` is the SHA-256 of the one before it and of this entry.
CREATE TABLE audit (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL,
  link INTEGER NOT NULL,
  side TEXT NOT NULL,
  action TEXT NOT NULL,
  headquarters TEXT,
  remote_id TEXT,
  row TEXT NOT NULL,
  before TEXT,
  after TEXT,
  digest BLOB NOT NULL
) STRICT;
CREATE INDEX audit_by_run ON audit (run);
CREATE INDEX audit_by_headquarters ON audit (headquarters) WHERE headquarters IS NOT NULL;

CREATE TABLE sync_run (
  id INTEGER PRIMARY KEY,
  profile INTEGER NOT NULL,
  purpose TEXT NOT NULL,
  as_of INTEGER NOT NULL,
  started INTEGER NOT NULL,
  state TEXT,
  finished INTEGER,
  plan TEXT,
  report TEXT,
  messages TEXT
) STRICT;
CREATE INDEX sync_run_by_profile ON sync_run (profile);

-- The plan of a profile that waits for a person.
CREATE TABLE held_plan (
  profile INTEGER PRIMARY KEY REFERENCES profile (id) ON DELETE CASCADE,
  run INTEGER NOT NULL,
  hash TEXT NOT NULL,
  reasons TEXT NOT NULL,
  plan TEXT NOT NULL
) STRICT;

-- What a connector keeps for itself.
CREATE TABLE connector_state (
  profile INTEGER NOT NULL REFERENCES profile (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (profile, key)
) STRICT, WITHOUT ROWID;
