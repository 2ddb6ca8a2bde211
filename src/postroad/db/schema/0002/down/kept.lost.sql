SELECT 'deleted messages that could still be restored',
       count(*) FROM kept WHERE account_id NOT IN (SELECT id FROM kept_account)
UNION ALL
SELECT 'deleted mailboxes that could still be restored',
       count(*) FROM kept_mailbox WHERE restored_as IS NULL AND account_id NOT IN (SELECT id FROM kept_account)
UNION ALL
SELECT 'removed accounts that could still be restored', count(*) FROM kept_account;
