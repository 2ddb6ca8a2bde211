DROP TABLE greylist;
DROP TABLE greylist_allow;
ALTER TABLE domain DROP COLUMN greylisting;
ALTER TABLE domain DROP COLUMN lists;
ALTER TABLE domain DROP COLUMN helo;
