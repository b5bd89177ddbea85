"""A command of the probe extension: which functions of the webui are wrapped, and what the panels say."""

import sys


def _seams():
    extension = next(module for name, module in sys.modules.items() if name.endswith("airoboros_longctx.extension"))
    running = extension._extension
    return {
        "wrapped": [f"{seam.module}.{seam.name}" for seam in running.hooks.install()],
        "blocked": running.prompting.page().documents_blocked(),
        "status": running.service.status().headline,
    }


COMMANDS = {"seams": _seams}
