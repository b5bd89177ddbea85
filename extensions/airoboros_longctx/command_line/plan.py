"""``plan MODEL_FOLDER``: how a model would be loaded and scaled, and why. Loads nothing and changes nothing."""

from __future__ import annotations

import argparse
import json

from ..core.context_plan import PlanRequest, plan_as_json
from ..core.explanation import explain
from ..core.known_hosts import NEWEST_WEBUI, known_capabilities, known_hosts
from ..core.planning.planner import plan_context
from ..core.reading.model_folder import read_model_facts
from .number_of_tokens import number_of_tokens

NAME = "plan"
HELP = "explain how a model folder would be loaded and scaled"
DESCRIPTION = """\
Explain how a model would be loaded: its RoPE scaling, its context window, the loader, the prompt
template, and for each of them the reason and who says so. Nothing is loaded and nothing is changed;
the weights are not even opened.

  python -m extensions.airoboros_longctx plan models/bhenrym14_airoboros-33b-gpt4-1.4.1-PI-8192-GPTQ
  python -m extensions.airoboros_longctx plan MODEL_FOLDER --context 8192 --capabilities webui-v1.7
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model_folder", metavar="MODEL_FOLDER", help="a model folder, or a GGUF file")
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")
    parser.add_argument(
        "--context", type=number_of_tokens, metavar="N", help="context to use, in tokens (default: all of it)"
    )
    parser.add_argument("--loader", metavar="L", help="the loader you chose, such as AutoGPTQ (default: the best one)")
    parser.add_argument(
        "--capabilities",
        metavar="NAME",
        default=NEWEST_WEBUI,
        help=f"the program that would load the model: {', '.join(known_hosts())} (default: {NEWEST_WEBUI}, the newest)",
    )
    parser.add_argument("--no-gpu", action="store_true", help="plan for a computer without a GPU")


def run(arguments: argparse.Namespace) -> int:
    capabilities = known_capabilities(arguments.capabilities, gpu=not arguments.no_gpu)
    request = PlanRequest(context_tokens=arguments.context, context_source="--context", loader=arguments.loader)
    plan = plan_context(read_model_facts(arguments.model_folder), capabilities, request)
    print(json.dumps(plan_as_json(plan), indent=2) if arguments.json else explain(plan))
    return 0
