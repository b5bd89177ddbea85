"""The name of a model folder taken apart, as text-generation-webui's downloader puts it together.

download-model.py, get_output_folder (the same at v1.7 and v4.7.3): ``organization_model``, and ``_branch`` after it
unless the branch is main. Models and branches may hold underscores themselves, so a branch is recognised by its form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_BRANCH = re.compile(
    r"_(?P<branch>gptq-\d.*|\d+(?:[.-]\d+)?bpw.*|\d+-?bits?\b.*|no-act-order|act-?order.*|main|latest|dev|fp16)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ModelName:
    organization: str | None
    model: str
    branch: str | None


def parse_model_name(name: str) -> ModelName:
    """``jondurbin_airoboros-7b-gpt4_gptq-4bit`` → jondurbin, airoboros-7b-gpt4, gptq-4bit; None for a missing part."""
    branch = _BRANCH.search(name)
    rest = name[: branch.start()] if branch else name
    organization, underscore, model = rest.partition("_")
    if not (underscore and organization and model):
        return ModelName(None, rest, branch["branch"] if branch else None)
    return ModelName(organization, model, branch["branch"] if branch else None)


def comparable(name: str) -> str:
    """A name in the one spelling in which patterns are matched: lower case, every dot and underscore a dash."""
    return re.sub(r"[._\s]", "-", name.lower())
