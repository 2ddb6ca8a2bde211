-- Keys of a trail that is forgotten are worked out from its rows (trail/record.py).
DROP INDEX trail_key_trail;
