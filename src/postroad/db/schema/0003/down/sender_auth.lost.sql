SELECT 'queued messages of aliases; they leave with the first sender in the envelope', count(*)
  FROM queue_item WHERE reverse_path != ''
UNION ALL
SELECT 'days of what DMARC said of other domains, for their reports', count(*)
  FROM (SELECT DISTINCT domain, day FROM dmarc_result)
UNION ALL
SELECT 'DMARC reports about domains of this server', count(*) FROM dmarc_report_in
UNION ALL
SELECT 'domains that follow or ignore DMARC policies on their own', count(*) FROM domain WHERE dmarc IS NOT NULL;
