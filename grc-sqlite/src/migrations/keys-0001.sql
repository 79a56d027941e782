-- Rows are appended by a growing number and never deleted, and a key is destroyed by overwriting it with as many zeros:
-- no row changes its size or its place, so no split or merge of pages leaves a copy of a key behind. The states are
-- numbers of one byte each (0 and 1 would take none) for the same reason.
CREATE TABLE keyring (
  id BLOB NOT NULL,
  epoch INTEGER NOT NULL
) STRICT;

-- state: 10 whole, 11 kept (the slots are in `kept`), 12 destroyed.
CREATE TABLE entry (
  n INTEGER PRIMARY KEY,
  id BLOB NOT NULL,
  state INTEGER NOT NULL,
  key BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX entry_by_id ON entry (id);

-- state: 10 kept, 12 destroyed.
CREATE TABLE kept (
  n INTEGER PRIMARY KEY,
  id BLOB NOT NULL,
  slot INTEGER NOT NULL,
  state INTEGER NOT NULL,
  key BLOB NOT NULL
) STRICT;
CREATE INDEX kept_by_id ON kept (id);
