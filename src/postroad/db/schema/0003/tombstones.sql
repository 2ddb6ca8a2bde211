-- Tombstones are forgotten at last (store/tombstones.py).

-- Those of this modseq and below may be missing; a client that knows nothing later is told in full what
-- is gone. Whether an older postroad has lost some, with an index that was made again, nobody knows.
ALTER TABLE mailbox ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;
UPDATE mailbox SET forgotten = modseq;

-- At that time the account was at that modseq: how the age of its tombstones is known.
CREATE TABLE modseq_mark (
    account_id  INTEGER NOT NULL,
    modseq      INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (account_id, modseq)
) WITHOUT ROWID;
CREATE INDEX modseq_mark_at ON modseq_mark (at);
