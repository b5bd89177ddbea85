"""Stands for the package that brings llama-server: the webui starts what ``get_binary_path`` names.

``LLAMA_SERVER_BINARY`` names a real one.
"""

import os
from pathlib import Path


def get_binary_path():
    return os.environ.get("LLAMA_SERVER_BINARY") or str(Path(__file__).with_name("llama-server"))
