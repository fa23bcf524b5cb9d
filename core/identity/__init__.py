"""Who stands behind an address, and how they prove it."""
