"""MailWorld: a whole server, its peers, DNS and clock in one process."""
