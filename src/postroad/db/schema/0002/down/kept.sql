-- Forget what is kept, as if it had been erased when it was deleted; mail in mailboxes is not touched.

DELETE FROM entry WHERE account_id IN (SELECT id FROM kept_account);
DELETE FROM mailbox WHERE account_id IN (SELECT id FROM kept_account);
DELETE FROM mailbox_tombstone WHERE account_id IN (SELECT id FROM kept_account);
DELETE FROM subscription WHERE account_id IN (SELECT id FROM kept_account);
DELETE FROM tombstone WHERE account_id IN (SELECT id FROM kept_account);
DELETE FROM thread_reference WHERE account_id IN (SELECT id FROM kept_account);
DELETE FROM credential WHERE account_id IN (SELECT id FROM kept_account);
DELETE FROM known_network WHERE account_id IN (SELECT id FROM kept_account);

CREATE TEMP TABLE unused AS
    SELECT m.account_id, m.id, m.blob_id FROM message m
    WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.account_id = m.account_id AND e.message_id = m.id);
UPDATE blob SET
    refs = refs - gone.users,
    freed_at = CASE WHEN refs = gone.users THEN CAST(strftime('%s', 'now') AS INTEGER) ELSE freed_at END
    FROM (SELECT blob_id, count(*) AS users FROM unused GROUP BY blob_id) gone
    WHERE gone.blob_id = blob.id;
DELETE FROM message WHERE (account_id, id) IN (SELECT account_id, id FROM unused);
DROP TABLE unused;

DROP TABLE kept;
DROP TABLE kept_mailbox;
DROP TABLE kept_account;
