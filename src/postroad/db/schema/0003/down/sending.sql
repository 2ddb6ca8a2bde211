DROP TABLE sts_policy;
DROP TABLE tls_result;
DROP TABLE tls_report_out;
DROP TABLE tls_report_in;
DROP TABLE route;
DROP TABLE queue_rate;
DROP TABLE queue_pace;
DROP TABLE send_limit;
DROP TABLE sent_count;
DROP TABLE sent_to;
DROP TABLE suppression;
-- An older postroad would send these in clear: somebody has to decide.
UPDATE queue_recipient SET held = 1 WHERE item_id IN (SELECT id FROM queue_item WHERE tls = 'require');
ALTER TABLE queue_item DROP COLUMN tls;
DROP TABLE send_alert;
