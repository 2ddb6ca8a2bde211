ALTER TABLE domain DROP COLUMN quota_bytes;
ALTER TABLE domain DROP COLUMN quota_messages;
ALTER TABLE account DROP COLUMN domain_limited;
