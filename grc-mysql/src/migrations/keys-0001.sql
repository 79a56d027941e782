-- Rows are never deleted: a key is destroyed by overwriting it in its row with as many zeros. And rows never move: they
-- are put in the order in which they come (`n`, from 1), so that a full page is followed by a new one. Were they put in
-- the order of their ids, which are random, full pages would be split, and the half that moved would leave its copy behind.
-- One page is split all the same, when a table outgrows its first: each begins with two thousand rows without a key and
-- without an id, which nobody can ask for.
CREATE TABLE IF NOT EXISTS grc_schema (
  name VARBINARY(64) NOT NULL,
  version BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (name)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4;

-- One row. Whoever changes the keyring writes it first.
CREATE TABLE IF NOT EXISTS grc_keyring (
  one TINYINT UNSIGNED NOT NULL,
  id BINARY(16) NOT NULL,
  epoch BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (one)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4;

-- state: 10 whole, 11 kept (the slots are in `grc_kept`), 12 destroyed.
CREATE TABLE IF NOT EXISTS grc_key (
  n BIGINT UNSIGNED NOT NULL,
  id BINARY(16) NULL,
  state TINYINT UNSIGNED NOT NULL,
  `key` BINARY(32) NOT NULL,
  PRIMARY KEY (n),
  UNIQUE KEY key_by_id (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4;

-- state: 10 kept, 12 destroyed.
CREATE TABLE IF NOT EXISTS grc_kept (
  n BIGINT UNSIGNED NOT NULL,
  id BINARY(16) NULL,
  slot INT UNSIGNED NOT NULL,
  state TINYINT UNSIGNED NOT NULL,
  `key` BINARY(32) NOT NULL,
  PRIMARY KEY (n),
  UNIQUE KEY kept_by_id (id, slot)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4;
