DROP TABLE scram_key;
DROP TABLE app_password;
ALTER TABLE account DROP COLUMN app_passwords_only;
ALTER TABLE kept_account DROP COLUMN app_passwords_only;
ALTER TABLE directory_state DROP COLUMN salt_key;
