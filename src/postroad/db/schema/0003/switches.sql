-- Capabilities that the clients of an account are not offered (model/switches.py): names with spaces between.
ALTER TABLE account ADD COLUMN switched_off TEXT NOT NULL DEFAULT '';
ALTER TABLE kept_account ADD COLUMN switched_off TEXT NOT NULL DEFAULT '';
