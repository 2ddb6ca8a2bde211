SELECT 'MTA-STS policies of other domains; they are fetched again', count(*) FROM sts_policy WHERE mode != ''
UNION ALL
SELECT 'days of TLS with other domains, for their reports', count(*) FROM (SELECT DISTINCT domain, day FROM tls_result)
UNION ALL
SELECT 'queued messages with a wish for TLS; they are sent without it', count(*) FROM queue_item WHERE tls != '';
