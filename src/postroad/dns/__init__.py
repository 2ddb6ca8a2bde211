"""Questions to the DNS, and a zone file that answers them in tests."""
