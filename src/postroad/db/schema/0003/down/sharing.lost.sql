SELECT 'shares of mailboxes', count(*) FROM share
UNION ALL
SELECT 'messages that users have seen in mailboxes of others', count(*) FROM seen WHERE seen = 1
UNION ALL
SELECT 'shared accounts; they become accounts like others', count(*) FROM account WHERE shared = 1;
