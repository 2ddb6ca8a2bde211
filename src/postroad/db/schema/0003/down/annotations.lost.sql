SELECT 'annotations of mailboxes and of the server', count(*) FROM annotation WHERE value IS NOT NULL;
