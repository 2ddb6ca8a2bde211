"""Who strangers' mail is from, and what follows from that: SPF, DKIM, DMARC on receipt."""
