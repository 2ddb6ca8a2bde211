-- What URLs of messages are authorized with (RFC 4467 §2.2): a key of each mailbox that has such URLs.

CREATE TABLE url_key (
    account_id  INTEGER NOT NULL,
    mailbox_id  INTEGER NOT NULL,
    key         BLOB    NOT NULL,                  -- 32 random octets
    modseq      INTEGER NOT NULL DEFAULT 0,        -- when it was reset; 0: never
    PRIMARY KEY (account_id, mailbox_id)
) WITHOUT ROWID;
