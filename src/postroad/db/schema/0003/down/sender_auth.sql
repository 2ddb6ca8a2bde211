DROP TABLE srs_sender;
ALTER TABLE domain DROP COLUMN dmarc;
ALTER TABLE queue_item DROP COLUMN reverse_path;
DROP TABLE dmarc_result;
DROP TABLE dmarc_report_in;
