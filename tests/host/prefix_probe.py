"""Test-only commands inside a real webui: what is kept of the prompts of the loaded model."""

import gc
import sys


def _kept():
    from modules import shared

    found = [one for one in gc.get_objects() if type(one).__name__ == "PrefixGenerate" and one.active]
    stores = [one for one in gc.get_objects() if type(one).__name__ == "PrefixStore"]
    answer = {
        "watched": len(found),
        "stores": len(stores),
        "held": sum(one.held()[1] for one in stores),
        "loaded": shared.model is not None,
        "status": _service().status().headline,
    }
    if found:
        answer.update(last=list(found[0].last), left_alone=dict(found[0].left_alone), wrapped=_is_wrapped(shared.model))
    return answer


def _is_wrapped(model):
    return any("generate" in vars(one) for one in (model, getattr(model, "model", None)) if hasattr(one, "__dict__"))


def _service():
    names = ("extensions.airoboros_longctx", "user_data.extensions.airoboros_longctx", "airoboros_longctx")
    return next(
        sys.modules[f"{name}.extension"] for name in names if f"{name}.extension" in sys.modules
    )._extension.service


def _forget_prompts():
    for one in gc.get_objects():
        if type(one).__name__ == "PrefixStore":
            one.clear()
    return {}


COMMANDS = {"kept": _kept, "forget_prompts": _forget_prompts}
