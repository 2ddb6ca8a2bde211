DROP TABLE pack_group;
