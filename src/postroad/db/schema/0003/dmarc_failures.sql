-- Reports of others about single messages in the name of our domains that failed DMARC (RFC 9991).
CREATE TABLE dmarc_failure_in (
    id         INTEGER PRIMARY KEY,
    domain     TEXT    NOT NULL,
    at         REAL    NOT NULL,                   -- when it came
    author     TEXT    NOT NULL,                   -- the domain that vouches for the report; '': none
    source     TEXT    NOT NULL,                   -- the address that the message came from; '': not said
    sender     TEXT    NOT NULL,                   -- MAIL FROM
    failed     TEXT    NOT NULL,                   -- words: dmarc, spf, signature …
    unaligned  TEXT    NOT NULL,                   -- words: spf, dkim
    result     TEXT    NOT NULL,                   -- delivered, spam, policy, reject, other
    incidents  INTEGER NOT NULL
);
CREATE INDEX dmarc_failure_in_domain ON dmarc_failure_in (domain);
CREATE INDEX dmarc_failure_in_at ON dmarc_failure_in (at);
