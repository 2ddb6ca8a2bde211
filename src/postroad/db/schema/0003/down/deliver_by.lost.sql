SELECT 'times by which messages in the queue were to be delivered', count(*) FROM queue_item WHERE deliver_by > 0;
