-- Keys that DKIM signs with (RFC 6376), two of each domain: RSA and Ed25519.

CREATE TABLE dkim_key (
    domain      TEXT    NOT NULL,
    selector    TEXT    NOT NULL,
    algorithm   TEXT    NOT NULL,                  -- 'rsa', 'ed25519'
    public      TEXT    NOT NULL,                  -- p= of the key record
    private     BLOB,                              -- sealed (directory.seal); NULL: it signs no more
    created     REAL    NOT NULL,
    seen        REAL,                              -- when the DNS last showed it; NULL: never
    active      REAL,                              -- since when it signs; NULL: it waits for the DNS to show it
    retired     REAL,                              -- since when another signs in its place
    PRIMARY KEY (domain, selector)
) WITHOUT ROWID;
