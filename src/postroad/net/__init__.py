"""Sockets: listeners, connections, TLS, limits that count connections."""
