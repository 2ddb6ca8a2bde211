"""Mail on its way out: items, leases, schedule, outcome."""
