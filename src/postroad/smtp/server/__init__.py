"""The server side of SMTP: sessions for mail exchange and submission."""
