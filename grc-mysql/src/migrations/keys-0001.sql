-- Rows are never deleted: a key is destroyed by overwriting it in its row with as many zeros.
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
  id BINARY(16) NOT NULL,
  state TINYINT UNSIGNED NOT NULL,
  `key` BINARY(32) NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4;

-- state: 10 kept, 12 destroyed.
CREATE TABLE IF NOT EXISTS grc_kept (
  id BINARY(16) NOT NULL,
  slot INT UNSIGNED NOT NULL,
  state TINYINT UNSIGNED NOT NULL,
  `key` BINARY(32) NOT NULL,
  PRIMARY KEY (id, slot)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4;
