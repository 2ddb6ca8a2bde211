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

-- 'on' or 'off' beside the settings; NULL: as the settings say.
ALTER TABLE domain ADD COLUMN greylisting TEXT;
ALTER TABLE domain ADD COLUMN lists TEXT;
ALTER TABLE domain ADD COLUMN helo TEXT;
