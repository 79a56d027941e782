-- Every primary key begins with the authority; nothing counts up by itself. Words and texts are VARBINARY: compared byte
-- by byte, without a character set that a server could set otherwise. Instants are microseconds, bodies are bytes.
-- `opened` is the fact of that name, the least integer where it is absent: what lists are ordered by. `beside` counts
-- what was written beside a stream without its row, so that whoever does so writes its row all the same.
CREATE TABLE IF NOT EXISTS grc_schema (
  name VARBINARY(64) NOT NULL,
  version BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (name)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS grc_meta (
  name VARBINARY(64) NOT NULL,
  value VARBINARY(255) NOT NULL,
  PRIMARY KEY (name)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS grc_stream (
  authority VARBINARY(64) NOT NULL,
  kind VARBINARY(64) NOT NULL,
  id BINARY(16) NOT NULL,
  opened BIGINT NOT NULL,
{facts}
  birth VARBINARY(64) NOT NULL,
  version BIGINT UNSIGNED NOT NULL,
  fold INT UNSIGNED NOT NULL,
  head BINARY(32) NOT NULL,
  beside BIGINT UNSIGNED NOT NULL DEFAULT 0,
  body MEDIUMBLOB NOT NULL,
  PRIMARY KEY (authority, kind, id),
  KEY stream_by_desk (authority, kind, f_service, f_state, opened, id),
  KEY stream_by_agent (authority, kind, f_agent, f_closed, opened, id),
  KEY stream_by_opened (authority, kind, opened, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS grc_event (
  authority VARBINARY(64) NOT NULL,
  kind VARBINARY(64) NOT NULL,
  id BINARY(16) NOT NULL,
  sequence BIGINT UNSIGNED NOT NULL,
  batch BINARY(16) NOT NULL,
  head BINARY(32) NOT NULL,
  body MEDIUMBLOB NOT NULL,
  PRIMARY KEY (authority, kind, id, sequence)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS grc_access (
  authority VARBINARY(64) NOT NULL,
  kind VARBINARY(64) NOT NULL,
  id BINARY(16) NOT NULL,
  n BIGINT UNSIGNED NOT NULL,
  at BIGINT NOT NULL,
  batch BINARY(16) NOT NULL,
  body MEDIUMBLOB NOT NULL,
  PRIMARY KEY (authority, kind, id, n)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS grc_vault (
  authority VARBINARY(64) NOT NULL,
  kind VARBINARY(64) NOT NULL,
  id BINARY(16) NOT NULL,
  part INT UNSIGNED NOT NULL,
  bytes MEDIUMBLOB NOT NULL,
  PRIMARY KEY (authority, kind, id, part)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS grc_measure (
  authority VARBINARY(64) NOT NULL,
  kind VARBINARY(64) NOT NULL,
  id BINARY(16) NOT NULL,
  bytes MEDIUMBLOB NOT NULL,
  PRIMARY KEY (authority, kind, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4;

-- Looked up by stream only: a condition on a declared field is one of the rest, looked at row by row.
CREATE TABLE IF NOT EXISTS grc_index (
  authority VARBINARY(64) NOT NULL,
  kind VARBINARY(64) NOT NULL,
  id BINARY(16) NOT NULL,
  field VARBINARY(64) NOT NULL,
  n INT UNSIGNED NOT NULL,
  text MEDIUMBLOB NULL,
  number BIGINT NULL,
  PRIMARY KEY (authority, kind, id, field, n)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4;

-- `apart` is empty for a unique link, so that two streams that want it write the same row; for others it is the kind and
-- the id of the stream, so that each has its own.
CREATE TABLE IF NOT EXISTS grc_link (
  authority VARBINARY(64) NOT NULL,
  link VARBINARY(64) NOT NULL,
  `key` VARBINARY(200) NOT NULL,
  apart VARBINARY(80) NOT NULL,
  kind VARBINARY(64) NOT NULL,
  id BINARY(16) NOT NULL,
  PRIMARY KEY (authority, link, `key`, apart),
  KEY link_by_stream (authority, kind, id, link)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS grc_task (
  authority VARBINARY(64) NOT NULL,
  id BINARY(16) NOT NULL,
  queue VARBINARY(200) NOT NULL,
  place BIGINT UNSIGNED NOT NULL,
  what VARBINARY(64) NOT NULL,
  kind VARBINARY(64) NOT NULL,
  stream BINARY(16) NOT NULL,
  due BIGINT NOT NULL,
  attempts INT UNSIGNED NOT NULL,
  lease BIGINT UNSIGNED NOT NULL,
  leased_until BIGINT NOT NULL,
  dead TINYINT UNSIGNED NOT NULL,
  code VARBINARY(64) NULL,
  body MEDIUMBLOB NOT NULL,
  PRIMARY KEY (authority, id),
  KEY task_by_due (authority, dead, due),
  KEY task_by_queue (authority, queue, dead, place, id),
  KEY task_by_stream (authority, kind, stream, what)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS grc_document (
  authority VARBINARY(64) NOT NULL,
  kind VARBINARY(64) NOT NULL,
  name VARBINARY(64) NOT NULL,
  version BIGINT UNSIGNED NOT NULL,
  body MEDIUMBLOB NOT NULL,
  PRIMARY KEY (authority, kind, name, version)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4;

-- The newest version of each document: whoever writes or drops one writes this row, and so excludes the others.
CREATE TABLE IF NOT EXISTS grc_newest (
  authority VARBINARY(64) NOT NULL,
  kind VARBINARY(64) NOT NULL,
  name VARBINARY(64) NOT NULL,
  version BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (authority, kind, name)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS grc_receipt (
  authority VARBINARY(64) NOT NULL,
  token BINARY(16) NOT NULL,
  mac BINARY(32) NOT NULL,
  `key` BINARY(16) NOT NULL,
  kind VARBINARY(64) NOT NULL,
  id BINARY(16) NOT NULL,
  version BIGINT UNSIGNED NOT NULL,
  expires BIGINT NOT NULL,
  PRIMARY KEY (authority, token)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4;

-- One row a batch, in one of 64 lanes, each numbered without gap. `height` is above that of every row that was committed
-- when it was written: it puts the rows of all lanes in an order that agrees with the versions of each stream. `mark` is
-- of all batches of the lane up to this one.
CREATE TABLE IF NOT EXISTS grc_change (
  authority VARBINARY(64) NOT NULL,
  lane TINYINT UNSIGNED NOT NULL,
  n BIGINT UNSIGNED NOT NULL,
  height BIGINT UNSIGNED NOT NULL,
  batch BINARY(16) NOT NULL,
  mark BINARY(4) NOT NULL,
  touched MEDIUMBLOB NOT NULL,
  PRIMARY KEY (authority, lane, n),
  UNIQUE KEY change_by_batch (authority, batch),
  KEY change_by_height (authority, height)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS grc_blob (
  authority VARBINARY(64) NOT NULL,
  id BINARY(16) NOT NULL,
  piece INT UNSIGNED NOT NULL,
  at BIGINT NOT NULL,
  bytes MEDIUMBLOB NOT NULL,
  PRIMARY KEY (authority, id, piece)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4;
