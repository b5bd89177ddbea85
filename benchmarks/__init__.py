"""Measurements side by side, as ratios. Nothing here is a test: no run fails for being slow."""
