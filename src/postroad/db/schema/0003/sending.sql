-- What other domains demand of who sends to them, and what became of that.

-- MTA-STS policies (RFC 8461), for as long as they hold.
CREATE TABLE sts_policy (
    domain    TEXT    PRIMARY KEY,
    id        TEXT    NOT NULL DEFAULT '',         -- of the record when it was fetched
    mode      TEXT    NOT NULL DEFAULT '',         -- enforce, testing, none; '' when it was never fetched
    max_age   INTEGER NOT NULL DEFAULT 0,          -- seconds from `fetched`
    mx        TEXT    NOT NULL DEFAULT '[]',       -- JSON list of patterns
    fetched   REAL    NOT NULL DEFAULT 0,
    tried     REAL    NOT NULL,                    -- when it was asked for last
    tried_id  TEXT    NOT NULL DEFAULT '',         -- for the sake of that id
    trouble   TEXT    NOT NULL DEFAULT '',         -- why that failed: a result type of RFC 8460
    reason    TEXT    NOT NULL DEFAULT '',
    used      REAL    NOT NULL                     -- within the day
) WITHOUT ROWID;

-- What became of TLS with them, by day (UTC): reports are made of it (RFC 8460).
CREATE TABLE tls_result (
    domain    TEXT    NOT NULL,
    day       TEXT    NOT NULL,                    -- 2026-01-31
    policy    TEXT    NOT NULL,                    -- JSON: what was applied
    failure   TEXT    NOT NULL,                    -- JSON: what went wrong, where; '' for success
    sessions  INTEGER NOT NULL,
    PRIMARY KEY (domain, day, policy, failure)
) WITHOUT ROWID;

-- Reports that a web server has not taken yet; those that go by mail are in the queue at once.
CREATE TABLE tls_report_out (
    id       INTEGER PRIMARY KEY,
    domain   TEXT    NOT NULL,
    uri      TEXT    NOT NULL,
    octets   BLOB    NOT NULL,                     -- as it is sent
    due      REAL    NOT NULL,
    tries    INTEGER NOT NULL DEFAULT 0,
    expires  REAL    NOT NULL
);

-- Reports of others about our domains, a row for each policy in them.
CREATE TABLE tls_report_in (
    domain        TEXT    NOT NULL,
    at            REAL    NOT NULL,                -- when it came
    organization  TEXT    NOT NULL,
    report_id     TEXT    NOT NULL,
    author        TEXT    NOT NULL,                -- the domain that vouches for it; empty: none does
    n             INTEGER NOT NULL,                -- of the policy in the report
    begins        REAL    NOT NULL,
    ends          REAL    NOT NULL,
    policy        TEXT    NOT NULL,                -- tlsa, sts, no-policy-found
    successes     INTEGER NOT NULL,
    failures      INTEGER NOT NULL,
    details       TEXT    NOT NULL,                -- JSON list, as the report has it, of the gravest
    PRIMARY KEY (domain, author, organization, report_id, n)
) WITHOUT ROWID;
CREATE INDEX tls_report_in_at ON tls_report_in (at);

ALTER TABLE queue_item ADD COLUMN tls TEXT NOT NULL DEFAULT '';  -- require, waive (RFC 8689)

-- Ways for mail to other domains than by their MX, and what holds on that way.
CREATE TABLE route (
    domain     TEXT    NOT NULL,                   -- A-labels; '*' for all that have none of their own
    sender     TEXT    NOT NULL DEFAULT '*',       -- only for mail from this domain; '*' for that of all
    after      INTEGER NOT NULL,                   -- attempts that have to have failed before it is taken
    transport  TEXT    NOT NULL,                   -- mx, smtp, smtps, lmtp
    host       TEXT    NOT NULL,                   -- a name or an address; '' for mx
    port       INTEGER NOT NULL,                   -- 0 for mx
    tls        TEXT    NOT NULL,                   -- may, encrypt, verify
    login      TEXT    NOT NULL,                   -- '' for none
    password   BLOB    NOT NULL,                   -- sealed (directory/seal.py)
    sources    TEXT    NOT NULL,                   -- JSON list of addresses of this machine to come from
    created    REAL    NOT NULL,
    per_minute INTEGER NOT NULL DEFAULT 0,         -- messages that are begun within one; 0: what the settings say
    PRIMARY KEY (domain, sender, after)
) WITHOUT ROWID;
CREATE INDEX route_paced ON route (domain, after) WHERE per_minute > 0;

-- When the last message was begun, where there is a limit on how many within a minute (queue/rate.py).
CREATE TABLE queue_rate (
    key        TEXT    PRIMARY KEY,                -- a destination, or the domain of a route
    begun      REAL    NOT NULL
) WITHOUT ROWID;

-- How much a destination bears, as its answers have taught (queue/pace.py); without a row, as much as anybody new.
CREATE TABLE queue_pace (
    destination  TEXT    PRIMARY KEY,
    width        INTEGER NOT NULL,                 -- pieces of work at a time
    rests        INTEGER NOT NULL DEFAULT 0,       -- one after the other, without a delivery in between
    rest_until   REAL    NOT NULL DEFAULT 0,       -- nothing is begun there before
    slowed       REAL    NOT NULL DEFAULT 0,       -- when it last wanted less
    changed      REAL    NOT NULL
) WITHOUT ROWID;
CREATE INDEX queue_pace_changed ON queue_pace (changed);

-- What an account may send, where that is not what the settings say; NULL: what they say.
CREATE TABLE send_limit (
    account_id       INTEGER PRIMARY KEY,
    messages_hour    INTEGER,
    messages_day     INTEGER,
    recipients_hour  INTEGER,
    recipients_day   INTEGER
);

-- What it has sent, in slots of ten minutes, for a day.
CREATE TABLE sent_count (
    account_id  INTEGER NOT NULL,
    slot        INTEGER NOT NULL,                  -- time / 600
    messages    INTEGER NOT NULL,
    recipients  INTEGER NOT NULL,                  -- whom it had not written to before
    PRIMARY KEY (account_id, slot)
) WITHOUT ROWID;

-- Whom it has written to elsewhere.
CREATE TABLE sent_to (
    account_id  INTEGER NOT NULL,
    address     TEXT    NOT NULL,                  -- its key
    at          INTEGER NOT NULL,                  -- within the day
    PRIMARY KEY (account_id, address)
) WITHOUT ROWID;
CREATE INDEX sent_to_at ON sent_to (at);

-- Addresses elsewhere that are not written to any more, and those of which servers said that they are nobody's.
CREATE TABLE suppression (
    key      TEXT    PRIMARY KEY,
    address  TEXT    NOT NULL,
    reason   TEXT    NOT NULL,                     -- why it bounces, or what a server said last
    who      TEXT    NOT NULL,                     -- an operator; '' when it was learned
    active   INTEGER NOT NULL,                     -- 0: it is only counted yet
    bounces  INTEGER NOT NULL,                     -- one after the other
    at       REAL    NOT NULL                      -- when it was added, or bounced last
) WITHOUT ROWID;

-- When postmaster@ was told last that an account wants to send more than it may.
CREATE TABLE send_alert (
    account_id  INTEGER PRIMARY KEY,
    at          REAL    NOT NULL
);
