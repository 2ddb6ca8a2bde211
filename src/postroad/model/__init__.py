"""Values that every layer speaks: addresses, envelopes, flags, refusals, clocks."""
