DROP TABLE sts_policy;
DROP TABLE tls_result;
ALTER TABLE queue_item DROP COLUMN tls;
