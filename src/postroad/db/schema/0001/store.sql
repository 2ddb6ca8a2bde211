-- The store: mailboxes, their entries, messages, the blobs that hold their bytes.
-- Every table of an account begins its key with account_id: locality here, the partition key on a cluster.

CREATE TABLE mailbox (
    account_id      INTEGER NOT NULL,
    id              INTEGER NOT NULL,
    name            TEXT    NOT NULL,
    uidvalidity     INTEGER NOT NULL,
    uidnext         INTEGER NOT NULL DEFAULT 1,
    created_modseq  INTEGER NOT NULL,
    modseq          INTEGER NOT NULL,              -- of the latest change inside
    messages        INTEGER NOT NULL DEFAULT 0,
    unseen          INTEGER NOT NULL DEFAULT 0,
    deleted         INTEGER NOT NULL DEFAULT 0,    -- entries with \Deleted
    size            INTEGER NOT NULL DEFAULT 0,
    recent_from     INTEGER NOT NULL DEFAULT 1,    -- UIDs from here on are \Recent
    special_use     TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (account_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX mailbox_name ON mailbox (account_id, name);

CREATE TABLE mailbox_tombstone (
    account_id  INTEGER NOT NULL,
    modseq      INTEGER NOT NULL,
    id          INTEGER NOT NULL,
    PRIMARY KEY (account_id, modseq, id)
) WITHOUT ROWID;

-- Names, not ids: a subscription outlives its mailbox (RFC 3501 §6.3.6).
CREATE TABLE subscription (
    account_id  INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    PRIMARY KEY (account_id, name)
) WITHOUT ROWID;

-- The narrow row: 100,000 of these are one cheap scan.
CREATE TABLE entry (
    account_id      INTEGER NOT NULL,
    mailbox_id      INTEGER NOT NULL,
    uid             INTEGER NOT NULL,
    modseq          INTEGER NOT NULL,
    created_modseq  INTEGER NOT NULL,
    flags           INTEGER NOT NULL,
    keywords        TEXT    NOT NULL DEFAULT '',
    size            INTEGER NOT NULL,
    internal_date   INTEGER NOT NULL,
    saved_date      INTEGER NOT NULL,
    message_id      INTEGER NOT NULL,
    PRIMARY KEY (account_id, mailbox_id, uid)
) WITHOUT ROWID;
CREATE INDEX entry_modseq ON entry (account_id, mailbox_id, modseq);
CREATE INDEX entry_message ON entry (account_id, message_id);

CREATE TABLE tombstone (
    account_id  INTEGER NOT NULL,
    mailbox_id  INTEGER NOT NULL,
    modseq      INTEGER NOT NULL,
    uid         INTEGER NOT NULL,
    PRIMARY KEY (account_id, mailbox_id, modseq, uid)
) WITHOUT ROWID;

-- The wide row: what clients ask for again and again, rendered once at filing.
-- `prefix` holds the trace lines that are this recipient's own; the blob may be shared.
CREATE TABLE message (
    account_id     INTEGER NOT NULL,
    id             INTEGER NOT NULL,
    blob_id        INTEGER NOT NULL,
    size           INTEGER NOT NULL,               -- of prefix and blob together
    sent           INTEGER,                        -- Date: in seconds since the epoch
    thread_id      INTEGER NOT NULL,
    msgid          TEXT    NOT NULL,               -- Message-ID:
    prefix         BLOB    NOT NULL,
    subject        TEXT    NOT NULL,
    base_subject   TEXT    NOT NULL,
    sender         TEXT    NOT NULL,
    preview        TEXT    NOT NULL,
    envelope       BLOB    NOT NULL,
    body           BLOB    NOT NULL,
    bodystructure  BLOB    NOT NULL,
    tree           BLOB    NOT NULL,
    PRIMARY KEY (account_id, id)
) WITHOUT ROWID;

-- Which thread a Message-ID belongs to; `reference` is 64 bits of its digest.
CREATE TABLE thread_reference (
    account_id  INTEGER NOT NULL,
    reference   INTEGER NOT NULL,
    thread_id   INTEGER NOT NULL,
    PRIMARY KEY (account_id, reference)
) WITHOUT ROWID;

CREATE TABLE blob (
    id        INTEGER PRIMARY KEY,
    pack      INTEGER NOT NULL,
    offset    INTEGER NOT NULL,                    -- of the first octet of the message
    length    INTEGER NOT NULL,
    digest    BLOB    NOT NULL,                    -- SHA-256
    refs      INTEGER NOT NULL,
    freed_at  INTEGER                              -- when refs became 0
);
CREATE INDEX blob_place ON blob (pack, offset);
CREATE INDEX blob_freed ON blob (freed_at) WHERE freed_at IS NOT NULL;

-- The committed end of each pack: what lies behind it was never acknowledged.
CREATE TABLE pack (
    id    INTEGER PRIMARY KEY,
    tail  INTEGER NOT NULL
);
