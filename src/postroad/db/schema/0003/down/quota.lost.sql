SELECT 'quotas of domains', count(*) FROM domain WHERE quota_bytes IS NOT NULL OR quota_messages IS NOT NULL;
