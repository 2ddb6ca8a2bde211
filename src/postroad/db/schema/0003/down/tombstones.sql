DROP TABLE modseq_mark;
ALTER TABLE mailbox DROP COLUMN forgotten;
