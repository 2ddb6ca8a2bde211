-- The trail: one row a message or refusal, later notes beside it, keys to find it by.

CREATE TABLE trail (
    id          INTEGER PRIMARY KEY,
    at          REAL    NOT NULL,
    kind        TEXT    NOT NULL,
    sender      TEXT    NOT NULL,
    recipients  TEXT    NOT NULL,                  -- JSON list
    message_id  TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    notes       BLOB    NOT NULL                   -- JSON list of the notes made at once
);
CREATE INDEX trail_at ON trail (at);

CREATE TABLE trail_note (
    trail_id  INTEGER NOT NULL,
    n         INTEGER NOT NULL,
    at        REAL    NOT NULL,
    notes     BLOB    NOT NULL,
    PRIMARY KEY (trail_id, n)
) WITHOUT ROWID;

CREATE TABLE trail_key (
    key       TEXT    NOT NULL,
    trail_id  INTEGER NOT NULL,
    PRIMARY KEY (key, trail_id)
) WITHOUT ROWID;
CREATE INDEX trail_key_trail ON trail_key (trail_id);
