CREATE INDEX trail_key_trail ON trail_key (trail_id);
