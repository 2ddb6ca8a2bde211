-- The last group commit that wrote to a pack, as the line behind its records names it (ADR 3).
-- A pack that holds a later one tells that this index is older than the packs.

CREATE TABLE pack_group (
    number  INTEGER NOT NULL,
    id      TEXT    NOT NULL,                      -- random, so that no attempt is taken for another
    after   TEXT    NOT NULL                       -- the id of the group before
);
-- Far above what packs may hold from before a way back and another upgrade: no number is used twice.
INSERT INTO pack_group VALUES (CAST(strftime('%s', 'now') AS INTEGER) * 1000000, '', '');
