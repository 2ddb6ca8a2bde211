ALTER TABLE account DROP COLUMN switched_off;
ALTER TABLE kept_account DROP COLUMN switched_off;
