-- Mailboxes that others may use (RFC 4314). The owner has every right, and no row.

CREATE TABLE share (
    account_id  INTEGER NOT NULL,                  -- whose mailbox it is
    mailbox_id  INTEGER NOT NULL,
    user_id     INTEGER NOT NULL,                  -- to whom; 0: anyone
    negative    INTEGER NOT NULL,                  -- 1: these rights are taken from what the others give
    rights      TEXT    NOT NULL,                  -- letters in the order of RFC 4314 §2.1
    PRIMARY KEY (account_id, mailbox_id, user_id, negative)
) WITHOUT ROWID;
CREATE INDEX share_user ON share (user_id);

-- \Seen of those who are not the owner: no row means that it is not set.
CREATE TABLE seen (
    account_id  INTEGER NOT NULL,
    mailbox_id  INTEGER NOT NULL,
    user_id     INTEGER NOT NULL,
    uid         INTEGER NOT NULL,
    seen        INTEGER NOT NULL,
    modseq      INTEGER NOT NULL,                  -- when that changed
    PRIMARY KEY (account_id, mailbox_id, user_id, uid)
) WITHOUT ROWID;
CREATE INDEX seen_modseq ON seen (account_id, mailbox_id, user_id, modseq);
CREATE INDEX seen_user ON seen (user_id);

-- An account that is nobody's: its mailboxes are shown under Shared/.
ALTER TABLE account ADD COLUMN shared INTEGER NOT NULL DEFAULT 0;
ALTER TABLE kept_account ADD COLUMN shared INTEGER NOT NULL DEFAULT 0;
