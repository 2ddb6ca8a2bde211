-- Whom mail is taken from: greylisting (policy/greylist.py) and what a domain wants otherwise than the settings.

CREATE TABLE greylist (
    network    TEXT    NOT NULL,                   -- /24 or /64
    sender     TEXT    NOT NULL,                   -- key of the address; '' for the null sender
    recipient  TEXT    NOT NULL,                   -- key of the address
    first      REAL    NOT NULL,
    ends       REAL    NOT NULL,                   -- when it is forgotten
    passed     INTEGER NOT NULL,                   -- it came back
    PRIMARY KEY (network, sender, recipient)
) WITHOUT ROWID;
CREATE INDEX greylist_ends ON greylist (ends);
CREATE INDEX greylist_waiting ON greylist (network) WHERE passed = 0;

CREATE TABLE greylist_allow (
    what  TEXT  PRIMARY KEY,                       -- a network, or a sender's domain
    who   TEXT  NOT NULL,                          -- an operator, or 'itself'
    at    REAL  NOT NULL,
    ends  REAL  NOT NULL
) WITHOUT ROWID;

-- What a domain wants beside the settings; NULL: as the settings say.
ALTER TABLE domain ADD COLUMN greylisting TEXT;           -- 'on' or 'off'
ALTER TABLE domain ADD COLUMN greylist_delay REAL;        -- seconds
ALTER TABLE domain ADD COLUMN lists TEXT;                 -- 'on' or 'off'
ALTER TABLE domain ADD COLUMN lists_refuse INTEGER;       -- a sum of weights
ALTER TABLE domain ADD COLUMN helo TEXT;                  -- 'off', 'warn' or 'refuse'
ALTER TABLE domain ADD COLUMN recipients_minute INTEGER;  -- of one address; 0: any
ALTER TABLE domain ADD COLUMN tarpit REAL;                -- seconds
ALTER TABLE domain ADD COLUMN allow TEXT;                 -- networks, with spaces between them
