-- What users note about mailboxes, and about the server as a whole (RFC 5464).

CREATE TABLE annotation (
    account_id  INTEGER NOT NULL,                  -- whose mailbox it is
    mailbox_id  INTEGER NOT NULL,                  -- 0: the server as a whole
    user_id     INTEGER NOT NULL,                  -- who alone sees it (/private); 0: /shared
    entry       TEXT    NOT NULL,                  -- in lower case
    value       BLOB,                              -- NULL: it was removed, or is kept elsewhere; tells of the change
    modseq      INTEGER NOT NULL,
    PRIMARY KEY (account_id, mailbox_id, user_id, entry)
) WITHOUT ROWID;
CREATE INDEX annotation_modseq ON annotation (account_id, modseq);
CREATE INDEX annotation_user ON annotation (user_id) WHERE user_id > 0;
