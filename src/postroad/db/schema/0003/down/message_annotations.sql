DROP TABLE message_annotation;
DROP TABLE annotation_use;
ALTER TABLE mailbox DROP COLUMN annotated;
