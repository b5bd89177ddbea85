"""Every release of the webui, every way of loading a model and asking it: what `start.py test-hosts` runs."""
