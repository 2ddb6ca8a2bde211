DROP TABLE srs_sender;
ALTER TABLE queue_item DROP COLUMN reverse_path;
