-- What the columns of a large mailbox were at `modseq` (store/listing.py), so that they need not be
-- collected from 100,000 rows after each start. It is a copy: `entry` and `tombstone` tell what is newer.
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
