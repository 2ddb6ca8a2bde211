DROP TABLE listing;
CREATE TABLE listing (
    account_id  INTEGER NOT NULL,
    mailbox_id  INTEGER NOT NULL,
    form        TEXT    NOT NULL,                  -- of the columns: version and byte order
    modseq      INTEGER NOT NULL,
    uidnext     INTEGER NOT NULL,
    states      TEXT    NOT NULL,                  -- JSON
    columns     BLOB    NOT NULL,
    PRIMARY KEY (account_id, mailbox_id)
) WITHOUT ROWID;
