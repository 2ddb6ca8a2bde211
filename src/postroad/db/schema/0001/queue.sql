-- The queue: messages on their way out, who of their recipients still waits, who works on them.

-- AUTOINCREMENT: the number of a queued message is in trails and bounces and never means another one.
CREATE TABLE queue_item (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    created     REAL    NOT NULL,
    sender      TEXT,                              -- NULL: the null reverse-path
    account_id  INTEGER,                           -- who submitted it, if one of ours did
    blob_id     INTEGER NOT NULL,
    prefix      BLOB    NOT NULL,                  -- trace lines above the shared octets
    size        INTEGER NOT NULL,                  -- of prefix and blob together
    trail_id    INTEGER NOT NULL,
    ret         TEXT    NOT NULL,                  -- RFC 3461: FULL, HDRS or empty
    envid       TEXT    NOT NULL,                  -- xtext, as it came
    body        TEXT    NOT NULL,                  -- 7BIT, 8BITMIME
    smtputf8    INTEGER NOT NULL
);

-- A row leaves when its recipient has got the message or has failed; the last one takes the item along.
CREATE TABLE queue_recipient (
    item_id      INTEGER NOT NULL,
    n            INTEGER NOT NULL,
    address      TEXT    NOT NULL,
    destination  TEXT    NOT NULL,                 -- the domain, by which work is grouped
    notify       TEXT    NOT NULL,                 -- NEVER, or SUCCESS FAILURE DELAY, sorted; '' when not asked
    original     TEXT    NOT NULL,                 -- ORCPT, as it came
    due          REAL    NOT NULL,
    held         INTEGER NOT NULL DEFAULT 0,
    urgent       INTEGER NOT NULL DEFAULT 0,       -- a person asked for the next attempt
    attempts     INTEGER NOT NULL DEFAULT 0,
    told_delay   INTEGER NOT NULL DEFAULT 0,       -- the sender knows that it is late
    cancelled    INTEGER NOT NULL DEFAULT 0,       -- by an operator: it fails at the next look, without an attempt
    last_at      REAL,
    last_host    TEXT    NOT NULL DEFAULT '',
    last_words   TEXT    NOT NULL DEFAULT '',
    lease_id     INTEGER,
    PRIMARY KEY (item_id, n)
) WITHOUT ROWID;
CREATE INDEX queue_waiting ON queue_recipient (destination, due) WHERE lease_id IS NULL AND held = 0;
CREATE INDEX queue_leased ON queue_recipient (lease_id) WHERE lease_id IS NOT NULL;
CREATE INDEX queue_address ON queue_recipient (address);

-- One row a destination that something waits for, so that the next work is found without looking at
-- what waits behind a full or dead one. `due` NULL: nothing to begin until a lease there ends.
CREATE TABLE queue_destination (
    destination  TEXT    PRIMARY KEY,
    due          REAL,
    ailing       INTEGER NOT NULL DEFAULT 0        -- no server of it answered last time: one attempt at a time
) WITHOUT ROWID;
CREATE INDEX queue_destination_due ON queue_destination (due) WHERE due IS NOT NULL;

-- The right of one worker to deliver one item to one destination; renewed while it works.
CREATE TABLE queue_lease (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    worker       TEXT    NOT NULL,
    destination  TEXT    NOT NULL,
    recipients   INTEGER NOT NULL,
    expires      REAL    NOT NULL
);
CREATE INDEX queue_lease_destination ON queue_lease (destination);
CREATE INDEX queue_lease_expires ON queue_lease (expires);
