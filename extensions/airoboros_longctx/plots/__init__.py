"""Pictures of what a check measured. matplotlib is imported when one is drawn, not before, and may be missing."""
