SELECT 'DKIM keys', count(*) FROM dkim_key WHERE private IS NOT NULL;
