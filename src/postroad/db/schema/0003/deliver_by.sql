-- By when messages are to be delivered (RFC 2852).
ALTER TABLE queue_item ADD COLUMN deliver_by REAL NOT NULL DEFAULT 0;      -- seconds since 1970; 0: nothing was said
ALTER TABLE queue_item ADD COLUMN deliver_mode TEXT NOT NULL DEFAULT '';   -- R: it comes back then, N: its sender is told; T: with trace
CREATE INDEX queue_item_deliver_by ON queue_item (deliver_by) WHERE deliver_by > 0;
