-- What users note about messages (RFC 5257).

CREATE TABLE message_annotation (
    account_id  INTEGER NOT NULL,                  -- whose mailbox it is
    mailbox_id  INTEGER NOT NULL,
    uid         INTEGER NOT NULL,                  -- of an entry, or of what was expunged and is kept
    user_id     INTEGER NOT NULL,                  -- who alone sees it (.priv); 0: everybody (.shared)
    entry       TEXT    NOT NULL,
    value       BLOB,                              -- NULL: it was removed; tells of the change
    modseq      INTEGER NOT NULL,
    PRIMARY KEY (account_id, mailbox_id, uid, user_id, entry)
) WITHOUT ROWID;
CREATE INDEX message_annotation_modseq ON message_annotation (account_id, mailbox_id, modseq);
CREATE INDEX message_annotation_removed ON message_annotation (account_id) WHERE value IS NULL;
CREATE INDEX message_annotation_user ON message_annotation (user_id) WHERE user_id > 0;

-- The modseq of the latest one in a mailbox. Where it is 0 there never was any, and nobody looks for them.
ALTER TABLE mailbox ADD COLUMN annotated INTEGER NOT NULL DEFAULT 0;

-- How much an account has of them. Rows go in many ways, with messages, mailboxes and users: SQLite counts.
CREATE TABLE annotation_use (
    account_id  INTEGER PRIMARY KEY,
    octets      INTEGER NOT NULL                   -- of names and values, and 500 for each row
);
CREATE TRIGGER message_annotation_came AFTER INSERT ON message_annotation BEGIN
    INSERT INTO annotation_use (account_id, octets)
        VALUES (new.account_id, 500 + length(CAST(new.entry AS BLOB)) + coalesce(length(new.value), 0))
        ON CONFLICT (account_id) DO UPDATE SET octets = octets + excluded.octets;
END;
CREATE TRIGGER message_annotation_changed AFTER UPDATE OF value ON message_annotation BEGIN
    UPDATE annotation_use SET octets = octets + coalesce(length(new.value), 0) - coalesce(length(old.value), 0)
        WHERE account_id = new.account_id;
END;
CREATE TRIGGER message_annotation_went AFTER DELETE ON message_annotation BEGIN
    UPDATE annotation_use SET octets = octets - 500 - length(CAST(old.entry AS BLOB)) - coalesce(length(old.value), 0)
        WHERE account_id = old.account_id;
END;
