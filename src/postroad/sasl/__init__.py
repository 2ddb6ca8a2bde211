"""SASL mechanisms as exchanges of values (RFC 4422)."""
