-- What was deleted and can still be restored, until `[retention]` says otherwise.
-- It is in no mailbox, counts towards no quota and is shown to no client. Its wide rows in `message`
-- stay, and with them the use of their blobs.

-- An expunged entry. UIDs and mailbox ids are never used twice, so the key it had stays its own.
CREATE TABLE kept (
    account_id     INTEGER NOT NULL,
    mailbox_id     INTEGER NOT NULL,               -- in `mailbox` or, deleted as well, in `kept_mailbox`
    uid            INTEGER NOT NULL,
    at             INTEGER NOT NULL,               -- when it was expunged
    flags          INTEGER NOT NULL,
    keywords       TEXT    NOT NULL,
    size           INTEGER NOT NULL,
    internal_date  INTEGER NOT NULL,
    message_id     INTEGER NOT NULL,
    PRIMARY KEY (account_id, mailbox_id, uid)
) WITHOUT ROWID;
CREATE INDEX kept_at ON kept (at);
CREATE INDEX kept_message ON kept (account_id, message_id);

CREATE TABLE kept_mailbox (
    account_id   INTEGER NOT NULL,
    id           INTEGER NOT NULL,
    name         TEXT    NOT NULL,
    special_use  TEXT    NOT NULL,
    at           INTEGER NOT NULL,                 -- when it was deleted
    restored_as  INTEGER,                          -- the mailbox that took its place again, if one did
    PRIMARY KEY (account_id, id)
) WITHOUT ROWID;
CREATE INDEX kept_mailbox_at ON kept_mailbox (at);

-- A removed account: its row; what hangs on its id (mail, credentials) stays where it is.
CREATE TABLE kept_account (
    id                INTEGER PRIMARY KEY,
    key               TEXT    NOT NULL,            -- several may have had the same address
    address           TEXT    NOT NULL,
    domain            TEXT    NOT NULL,
    name              TEXT    NOT NULL,
    created           REAL    NOT NULL,
    suspended         INTEGER NOT NULL,
    quota_bytes       INTEGER,
    quota_messages    INTEGER,
    modseq            INTEGER NOT NULL,
    bytes_used        INTEGER NOT NULL,
    messages_used     INTEGER NOT NULL,
    next_mailbox_id   INTEGER NOT NULL,
    next_message_id   INTEGER NOT NULL,
    next_uidvalidity  INTEGER NOT NULL,
    at                INTEGER NOT NULL,            -- when it was removed
    who               TEXT    NOT NULL,
    erasing           INTEGER NOT NULL DEFAULT 0,  -- part of its mail is gone already: nobody can restore it
    aliases           TEXT    NOT NULL             -- JSON list of the aliases that pointed at it
);
CREATE INDEX kept_account_key ON kept_account (key);
CREATE INDEX kept_account_at ON kept_account (at);
