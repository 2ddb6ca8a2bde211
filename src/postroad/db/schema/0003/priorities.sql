-- What their senders have given priority to (RFC 6710): -9 to 9.
ALTER TABLE queue_item ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE queue_recipient ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;         -- of its item
ALTER TABLE queue_destination ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;       -- the highest of what is due

-- A lane of its own for what most mail is, so that it costs as much as before; the others share one.
DROP INDEX queue_waiting;
CREATE INDEX queue_waiting ON queue_recipient (destination, due)
    WHERE lease_id IS NULL AND held = 0 AND priority = 0;
CREATE INDEX queue_waiting_priority ON queue_recipient (destination, priority, due)
    WHERE lease_id IS NULL AND held = 0 AND priority != 0;
CREATE INDEX queue_destination_priority ON queue_destination (priority, due) WHERE due IS NOT NULL AND priority != 0;
