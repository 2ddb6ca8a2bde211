"""What strangers and users may do, in numbers."""
