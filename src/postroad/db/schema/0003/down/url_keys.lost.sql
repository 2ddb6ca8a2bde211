SELECT 'keys of mailboxes whose messages have authorized URLs', count(*) FROM url_key;
