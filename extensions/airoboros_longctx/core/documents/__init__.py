"""Which documents a page has: whose they are, where they belong, in which order. Files and the disk are elsewhere."""
