-- Log-ins other than by the one password: SCRAM keys (RFC 5802) and app passwords.

-- The SCRAM keys of a password (label '') or of an app password. All keys of an account and a hash have
-- one salt and one count: the server names them before it knows which password will be proved.
CREATE TABLE scram_key (
    account_id  INTEGER NOT NULL,
    hash        TEXT    NOT NULL,                  -- 'SHA-256', 'SHA-1'
    label       TEXT    NOT NULL,                  -- of the app password; '' for the password
    iterations  INTEGER NOT NULL,
    salt        BLOB    NOT NULL,
    stored_key  BLOB    NOT NULL,
    server_key  BLOB    NOT NULL,
    PRIMARY KEY (account_id, hash, label)
) WITHOUT ROWID;

-- How many accounts have which count: names without an account are shown the same, in the same shares.
CREATE INDEX scram_key_count ON scram_key (iterations);

CREATE TABLE app_password (
    account_id  INTEGER NOT NULL,
    label       TEXT    NOT NULL,                  -- what the user calls the device
    protocols   TEXT    NOT NULL,                  -- words with spaces between
    salt        BLOB    NOT NULL,
    hash        BLOB    NOT NULL,                  -- BLAKE2b of the secret, keyed with the salt
    created     REAL    NOT NULL,
    expires     REAL,                              -- NULL: never
    used        REAL,                              -- NULL: not yet; within the hour
    used_from   TEXT    NOT NULL DEFAULT '',       -- the address
    used_for    TEXT    NOT NULL DEFAULT '',       -- the protocol
    PRIMARY KEY (account_id, label)
) WITHOUT ROWID;

ALTER TABLE account ADD COLUMN app_passwords_only INTEGER NOT NULL DEFAULT 0;
ALTER TABLE kept_account ADD COLUMN app_passwords_only INTEGER NOT NULL DEFAULT 0;

-- What SCRAM salts are made from, for names that have no account too, so that nobody can tell them apart.
-- SQLite draws it by ChaCha20 from a seed of the system's.
ALTER TABLE directory_state ADD COLUMN salt_key BLOB NOT NULL DEFAULT x'';
UPDATE directory_state SET salt_key = randomblob(32);
