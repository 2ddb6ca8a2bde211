DROP TABLE share;
DROP TABLE seen;
ALTER TABLE account DROP COLUMN shared;
ALTER TABLE kept_account DROP COLUMN shared;
