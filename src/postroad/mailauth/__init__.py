"""Sender authentication (SPF, DKIM, DMARC, ARC); the DNS is asked through the resolver handed in."""
