ALTER TABLE message DROP COLUMN ancestors;
