-- The directory: domains, accounts, aliases, credentials, who changed what, who guessed wrong.
-- `key` is model.address.Address.key: the one spelling by which addresses are compared.

CREATE TABLE domain (
    id       INTEGER PRIMARY KEY,
    name     TEXT    NOT NULL UNIQUE,              -- A-labels, lower case
    created  REAL    NOT NULL
);

CREATE TABLE account (
    id                INTEGER PRIMARY KEY,         -- from directory_state, never used twice
    key               TEXT    NOT NULL UNIQUE,
    address           TEXT    NOT NULL,            -- as it was given, for showing
    domain            TEXT    NOT NULL,
    name              TEXT    NOT NULL DEFAULT '', -- of the person
    created           REAL    NOT NULL,
    suspended         INTEGER NOT NULL DEFAULT 0,
    quota_bytes       INTEGER,                     -- NULL: no limit
    quota_messages    INTEGER,
    -- The store's counters.
    modseq            INTEGER NOT NULL DEFAULT 1,
    bytes_used        INTEGER NOT NULL DEFAULT 0,
    messages_used     INTEGER NOT NULL DEFAULT 0,
    next_mailbox_id   INTEGER NOT NULL DEFAULT 1,
    next_message_id   INTEGER NOT NULL DEFAULT 1,
    next_uidvalidity  INTEGER NOT NULL
);
CREATE INDEX account_domain ON account (domain, id);

-- One row a target. A catch-all has the key `@example.org`.
CREATE TABLE alias (
    key         TEXT    NOT NULL,
    position    INTEGER NOT NULL,                  -- the order in which targets were given
    address     TEXT    NOT NULL,
    domain      TEXT    NOT NULL,
    target_key  TEXT    NOT NULL,
    target      TEXT    NOT NULL,
    PRIMARY KEY (key, position)
) WITHOUT ROWID;
CREATE UNIQUE INDEX alias_target ON alias (target_key, key);
CREATE INDEX alias_domain ON alias (domain, key);

CREATE TABLE credential (
    account_id  INTEGER NOT NULL,
    kind        TEXT    NOT NULL,                  -- 'password'
    version     INTEGER NOT NULL,                  -- grows with each change; memos of log-ins hang on it
    hash        TEXT    NOT NULL,
    created     REAL    NOT NULL,
    PRIMARY KEY (account_id, kind)
) WITHOUT ROWID;

CREATE TABLE change (
    id    INTEGER PRIMARY KEY,
    at    REAL    NOT NULL,
    who   TEXT    NOT NULL,
    noun  TEXT    NOT NULL,                        -- domain, account, alias
    name  TEXT    NOT NULL,                        -- which one
    old   TEXT,                                    -- JSON; NULL: was not there
    new   TEXT                                     -- JSON; NULL: is no more
);
CREATE INDEX change_name ON change (name, id);

-- Failed log-ins in windows that begin with the first of them (directory.throttle).
CREATE TABLE auth_failure (
    scope    TEXT    NOT NULL,
    seconds  INTEGER NOT NULL,                     -- length of the window
    started  REAL    NOT NULL,
    count    INTEGER NOT NULL,
    PRIMARY KEY (scope, seconds)
) WITHOUT ROWID;
CREATE INDEX auth_failure_end ON auth_failure (started + seconds);

-- From where an account has logged in before.
CREATE TABLE known_network (
    account_id  INTEGER NOT NULL,
    network     TEXT    NOT NULL,
    at          REAL    NOT NULL,
    PRIMARY KEY (account_id, network)
) WITHOUT ROWID;

CREATE TABLE directory_state (
    version          INTEGER NOT NULL,             -- grows with each change
    next_account_id  INTEGER NOT NULL
);
INSERT INTO directory_state VALUES (1, 1);
