SELECT 'queued messages of aliases; they leave with the first sender in the envelope', count(*)
  FROM queue_item WHERE reverse_path != '';
