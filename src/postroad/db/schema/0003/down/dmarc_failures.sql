DROP TABLE dmarc_failure_in;
