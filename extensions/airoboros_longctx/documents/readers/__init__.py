"""One module per format, each with ``read(path, output)``; they run in the child process alone.

They import the standard library, their own package and each other, nothing else of the extension.
"""

from .output import Output, Refusal

__all__ = ["Output", "Refusal"]
