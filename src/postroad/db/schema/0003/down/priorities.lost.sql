SELECT 'priorities of messages in the queue', count(*) FROM queue_item WHERE priority != 0;
