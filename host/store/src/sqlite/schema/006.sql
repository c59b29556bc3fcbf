-- Links are looked up by what a server tells of: an item, or a series; and by the object that a plan may have to make.
CREATE INDEX link_of_item ON link (profile, kind, remote_id) WHERE state <> 'tombstone';
CREATE INDEX link_of_series ON link (profile, kind, series) WHERE series IS NOT NULL AND state <> 'tombstone';
CREATE INDEX link_of_object ON link (profile, kind, headquarters) WHERE state <> 'tombstone';
