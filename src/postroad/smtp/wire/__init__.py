"""The bytes of SMTP: cores without I/O."""
