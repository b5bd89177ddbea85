"""Does the model read its window? What is measured, how it is judged, and how it is shown as text."""
