"""From an accepted message to mailboxes, queue and bounces."""
