SELECT 'app passwords', count(*) FROM app_password
UNION ALL
SELECT 'accounts that take app passwords alone; they will take their password again',
       count(*) FROM account WHERE app_passwords_only = 1
UNION ALL
SELECT 'passwords with SCRAM keys', count(DISTINCT account_id) FROM scram_key WHERE label = '';
