-- What tells this database from all others: keys of items in Outlook follow from it and from the name of a profile, so that
-- a profile that is removed and added again finds its items.
CREATE TABLE identity (
  id TEXT NOT NULL
) STRICT;
INSERT INTO identity (id) VALUES (lower(hex(randomblob(16))));
