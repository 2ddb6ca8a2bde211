SELECT 'MTA-STS policies of other domains; they are fetched again', count(*) FROM sts_policy WHERE mode != ''
UNION ALL
SELECT 'days of TLS with other domains, for their reports', count(*) FROM (SELECT DISTINCT domain, day FROM tls_result)
UNION ALL
SELECT 'TLS reports for other domains that were not sent yet', count(*) FROM tls_report_out
UNION ALL
SELECT 'TLS reports about domains of this server', count(*) FROM (SELECT DISTINCT domain, organization, report_id FROM tls_report_in)
UNION ALL
SELECT 'routes; mail for their domains goes by MX again', count(*) FROM route
UNION ALL
SELECT 'accounts with limits of their own on what they send', count(*) FROM send_limit
UNION ALL
SELECT 'addresses that are not written to any more; they are written to again',
       count(*) FROM suppression WHERE active
UNION ALL
SELECT 'queued messages that require TLS; they are held until they are released or cancelled',
       count(*) FROM queue_item WHERE tls = 'require';
