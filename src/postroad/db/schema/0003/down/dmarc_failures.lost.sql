SELECT 'DMARC reports about single messages', count(*) FROM dmarc_failure_in;
