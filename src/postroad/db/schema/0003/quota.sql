-- What all accounts of a domain may hold together; NULL: no limit.
ALTER TABLE domain ADD COLUMN quota_bytes INTEGER;
ALTER TABLE domain ADD COLUMN quota_messages INTEGER;

-- Whether there is such a limit, so that nobody has to look who has none.
ALTER TABLE account ADD COLUMN domain_limited INTEGER NOT NULL DEFAULT 0;
