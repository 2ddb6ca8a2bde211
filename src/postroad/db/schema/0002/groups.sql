-- The last group commit that wrote to a pack, as the line behind its records names it (ADR 3).
-- A pack that holds a later one tells that this index is older than the packs.

-- It may be there already: the way back leaves it.
CREATE TABLE IF NOT EXISTS pack_group (
    number  INTEGER NOT NULL,
    id      TEXT    NOT NULL,                      -- random, so that no attempt is taken for another
    after   TEXT    NOT NULL                       -- the id of the group before
);
INSERT INTO pack_group SELECT 0, '', '' WHERE NOT EXISTS (SELECT 1 FROM pack_group);
