DROP INDEX queue_destination_priority;
DROP INDEX queue_waiting_priority;
DROP INDEX queue_waiting;
ALTER TABLE queue_destination DROP COLUMN priority;
ALTER TABLE queue_recipient DROP COLUMN priority;
ALTER TABLE queue_item DROP COLUMN priority;
CREATE INDEX queue_waiting ON queue_recipient (destination, due) WHERE lease_id IS NULL AND held = 0;
