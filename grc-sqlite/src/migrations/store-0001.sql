-- Every primary key begins with the authority. Rows that stay small are in WITHOUT ROWID tables, where a row costs one
-- page instead of two; those with bodies are in rowid tables, where a long row does not spill at a quarter of a page and
-- the last page is not split by moving its neighbours (measured, vault rows of 600 bytes: 1.2 pages less an intake).

CREATE TABLE meta (
  name TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The facts come first, so that a list that looks at them reads no body. `opened` is the fact of that name, the least
-- integer where it is absent: what lists are ordered by.
CREATE TABLE stream (
  authority TEXT NOT NULL,
  kind TEXT NOT NULL,
  id BLOB NOT NULL,
  opened INTEGER NOT NULL,
{facts}
  birth TEXT NOT NULL,
  version INTEGER NOT NULL,
  fold INTEGER NOT NULL,
  head BLOB NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (authority, kind, id)
) STRICT;
-- The three orders of lists. More would cost each commit a page or two.
CREATE INDEX stream_by_desk ON stream (authority, kind, "f_service", "f_state", opened, id);
CREATE INDEX stream_by_agent ON stream (authority, kind, "f_agent", opened, id)
  WHERE "f_agent" IS NOT NULL AND "f_closed" IS NULL;
CREATE INDEX stream_by_opened ON stream (authority, kind, opened, id);

CREATE TABLE event (
  authority TEXT NOT NULL,
  kind TEXT NOT NULL,
  id BLOB NOT NULL,
  sequence INTEGER NOT NULL,
  batch BLOB NOT NULL,
  head BLOB NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (authority, kind, id, sequence)
) STRICT;

CREATE TABLE access (
  authority TEXT NOT NULL,
  kind TEXT NOT NULL,
  id BLOB NOT NULL,
  n INTEGER NOT NULL,
  at INTEGER NOT NULL,
  batch BLOB NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (authority, kind, id, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE vault (
  authority TEXT NOT NULL,
  kind TEXT NOT NULL,
  id BLOB NOT NULL,
  part INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (authority, kind, id, part)
) STRICT;

CREATE TABLE measure (
  authority TEXT NOT NULL,
  kind TEXT NOT NULL,
  id BLOB NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (authority, kind, id)
) STRICT, WITHOUT ROWID;

-- Looked up by stream only: a condition on a declared field is one of the rest, looked at row by row.
CREATE TABLE idx (
  authority TEXT NOT NULL,
  kind TEXT NOT NULL,
  id BLOB NOT NULL,
  field TEXT NOT NULL,
  n INTEGER NOT NULL,
  text TEXT,
  number INTEGER,
  PRIMARY KEY (authority, kind, id, field, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE link (
  authority TEXT NOT NULL,
  link TEXT NOT NULL,
  key BLOB NOT NULL,
  kind TEXT NOT NULL,
  id BLOB NOT NULL,
  single INTEGER NOT NULL,
  PRIMARY KEY (authority, link, key, kind, id)
) STRICT, WITHOUT ROWID;
-- To drop the links of a stream.
CREATE INDEX link_by_stream ON link (authority, kind, id);

CREATE TABLE task (
  authority TEXT NOT NULL,
  id BLOB NOT NULL,
  queue TEXT NOT NULL,
  place INTEGER NOT NULL,
  what TEXT NOT NULL,
  kind TEXT NOT NULL,
  stream BLOB NOT NULL,
  due INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  lease INTEGER NOT NULL,
  leased_until INTEGER NOT NULL,
  dead INTEGER NOT NULL,
  code TEXT,
  body BLOB NOT NULL,
  PRIMARY KEY (authority, id)
) STRICT, WITHOUT ROWID;
-- What is due; who is before it in its queue; what a stream has. Dead tasks step aside.
CREATE INDEX task_by_due ON task (authority, due) WHERE dead = 0;
CREATE INDEX task_by_queue ON task (authority, queue, place, id) WHERE dead = 0;
CREATE INDEX task_by_stream ON task (authority, kind, stream);

CREATE TABLE document (
  authority TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (authority, kind, name, version)
) STRICT;

CREATE TABLE receipt (
  authority TEXT NOT NULL,
  token BLOB NOT NULL,
  mac BLOB NOT NULL,
  key BLOB NOT NULL,
  kind TEXT NOT NULL,
  id BLOB NOT NULL,
  version INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY (authority, token)
) STRICT, WITHOUT ROWID;

-- One row a batch: what it touched is a compact list (see feed.rs), not a row each.
CREATE TABLE change (
  authority TEXT NOT NULL,
  n INTEGER NOT NULL,
  batch BLOB NOT NULL,
  touched BLOB NOT NULL,
  PRIMARY KEY (authority, n)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX change_by_batch ON change (batch);

CREATE TABLE blob (
  authority TEXT NOT NULL,
  id BLOB NOT NULL,
  piece INTEGER NOT NULL,
  at INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (authority, id, piece)
) STRICT;
