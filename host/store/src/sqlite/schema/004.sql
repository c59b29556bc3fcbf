-- What tells this database from all others: keys of items in Outlook follow from it and from the name of a profile, so that
-- a profile that is removed and added again finds its items.
CREATE TABLE identity (
  id TEXT NOT NULL
) STRICT;
INSERT INTO identity (id) VALUES (lower(hex(randomblob(16))));

-- What a person decided about an item that waited for a decision: whose version counts, until the next run has settled it.
CREATE TABLE answer (
  profile INTEGER NOT NULL REFERENCES profile (id) ON DELETE CASCADE,
  headquarters TEXT NOT NULL,
  side TEXT NOT NULL,
  PRIMARY KEY (profile, headquarters)
) STRICT, WITHOUT ROWID;
