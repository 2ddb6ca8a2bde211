SELECT 'messages that were to go at a later time; they are held until they are released or cancelled',
       count(*) FROM queue_item WHERE release_at > 0;
