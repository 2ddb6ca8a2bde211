-- Whom a message answers, for THREAD (RFC 5256 §3): Message-IDs, the oldest first, parted by spaces.
-- NULL in rows of an earlier schema, until somebody threads them.
ALTER TABLE message ADD COLUMN ancestors TEXT;
