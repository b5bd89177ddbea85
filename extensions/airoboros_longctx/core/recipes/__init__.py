"""Recipes: trained instructions of the model cards as templates that people fill in, as YAML beside this package."""
