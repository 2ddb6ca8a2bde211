"""Authentication of senders (SPF, DKIM, DMARC, ARC) and of servers (DANE, MTA-STS, TLSRPT).

The DNS is asked through the resolver handed in.
"""
