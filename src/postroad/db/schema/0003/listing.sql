-- The same copies of columns (store/listing.py) in rows with a rowid: where there is none, to compare the key of
-- a row that goes on in other pages means to read it all, two megabytes of it. They make themselves anew.
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
);
