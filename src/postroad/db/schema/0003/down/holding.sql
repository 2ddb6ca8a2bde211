-- An older postroad would let them go now, and knows no way into a mailbox from the queue: somebody has to decide.
UPDATE queue_recipient SET held = 1 WHERE item_id IN (SELECT id FROM queue_item WHERE release_at > 0);
DROP INDEX queue_item_held;
ALTER TABLE queue_item DROP COLUMN release_at;
ALTER TABLE queue_item DROP COLUMN release_asked;
