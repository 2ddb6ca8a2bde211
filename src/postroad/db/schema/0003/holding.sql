-- Messages that are held until a time that their sender has named (RFC 4865).
ALTER TABLE queue_item ADD COLUMN release_at REAL NOT NULL DEFAULT 0;      -- 0: they were not
ALTER TABLE queue_item ADD COLUMN release_asked TEXT NOT NULL DEFAULT '';  -- for;3600, until;2026-01-31T08:00:00Z

-- How many an account has of them.
CREATE INDEX queue_item_held ON queue_item (account_id, release_at) WHERE release_at > 0;
