DROP INDEX queue_item_deliver_by;
ALTER TABLE queue_item DROP COLUMN deliver_by;
ALTER TABLE queue_item DROP COLUMN deliver_mode;
