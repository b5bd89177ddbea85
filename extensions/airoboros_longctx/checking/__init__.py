"""Measuring a loaded model: the ``MeasuredModel`` port for Transformers' models and for loaders that only generate."""
