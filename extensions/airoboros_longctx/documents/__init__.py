"""Files in, text out, and where documents are kept."""
