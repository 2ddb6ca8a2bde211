-- Where mail is from: what forwarding, and reports about it, have to remember.

-- Senders of forwarded mail that are too long to be held in an address (SRS).
CREATE TABLE srs_sender (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    sender  TEXT    NOT NULL UNIQUE,
    at      REAL    NOT NULL                       -- when mail of theirs was sent on last
);

ALTER TABLE domain ADD COLUMN dmarc TEXT;  -- 'enforce' or 'monitor'; NULL: as the settings say

ALTER TABLE queue_item ADD COLUMN reverse_path TEXT NOT NULL DEFAULT '';  -- MAIL FROM, when it is not `sender`

-- What DMARC said of others' domains, by day (UTC): reports are made of it (RFC 9990).
CREATE TABLE dmarc_result (
    domain    TEXT    NOT NULL,                    -- that has the record
    day       TEXT    NOT NULL,                    -- 2026-01-31
    policy    TEXT    NOT NULL,                    -- JSON: what was published, and where reports go
    row       TEXT    NOT NULL,                    -- JSON: who sent, and how it fared
    messages  INTEGER NOT NULL,
    PRIMARY KEY (domain, day, policy, row)
) WITHOUT ROWID;

-- Reports of others about our domains.
CREATE TABLE dmarc_report_in (
    domain        TEXT    NOT NULL,
    organization  TEXT    NOT NULL,
    report_id     TEXT    NOT NULL,
    at            REAL    NOT NULL,                -- when it came
    author        TEXT    NOT NULL,                -- the domain that vouches for the report; '': none
    begins        REAL    NOT NULL,
    ends          REAL    NOT NULL,
    policy        TEXT    NOT NULL,
    passed        INTEGER NOT NULL,                -- messages
    failed        INTEGER NOT NULL,
    failures      TEXT    NOT NULL,                -- JSON list of rows with their numbers, the largest
    PRIMARY KEY (domain, author, organization, report_id)
) WITHOUT ROWID;
CREATE INDEX dmarc_report_in_at ON dmarc_report_in (at);
