"""Stands for the package that brings llama-server: the webui starts what ``get_binary_path`` names."""

from pathlib import Path


def get_binary_path():
    return str(Path(__file__).with_name("llama-server"))
