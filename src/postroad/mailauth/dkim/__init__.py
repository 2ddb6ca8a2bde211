"""DomainKeys Identified Mail: signatures read, verified and made (RFC 6376, RFC 8301, RFC 8463, RFC 8616)."""
