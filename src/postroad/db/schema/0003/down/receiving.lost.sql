SELECT 'senders known to greylisting; they wait once more', count(*) FROM greylist WHERE passed = 1
UNION ALL
SELECT 'networks and domains that need not wait', count(*) FROM greylist_allow
UNION ALL
SELECT 'domains with checks of their own on who sends to them', count(*) FROM domain
WHERE greylisting IS NOT NULL OR lists IS NOT NULL OR helo IS NOT NULL
