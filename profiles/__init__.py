"""Area profiles: what differs between one hub and the next, as data (R70)."""
