SELECT 'annotations of messages', count(*) FROM message_annotation WHERE value IS NOT NULL;
