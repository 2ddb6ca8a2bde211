-- Where mail is from: what forwarding, and reports about it, have to remember.

-- Senders of forwarded mail that are too long to be held in an address (SRS).
CREATE TABLE srs_sender (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    sender  TEXT    NOT NULL UNIQUE,
    at      REAL    NOT NULL                       -- when mail of theirs was sent on last
);

ALTER TABLE queue_item ADD COLUMN reverse_path TEXT NOT NULL DEFAULT '';  -- MAIL FROM, when it is not `sender`
