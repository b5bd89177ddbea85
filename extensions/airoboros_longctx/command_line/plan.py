"""``plan MODEL_FOLDER``: how a model would be loaded and scaled, and why. Loads nothing and changes nothing."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace

from ..core.context_plan import ContextPlan, PlanRequest, plan_as_json
from ..core.explanation import explain, suggestion_sentence
from ..core.exporting.exporter import ENGINES, export_plan
from ..core.known_hosts import NEWEST_WEBUI, known_capabilities, known_hosts
from ..core.mechanisms import PATCH
from ..core.model_facts import ModelFacts
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

--export prints the plan as the options of another engine, or as a fragment of config.json for transformers,
and nothing else; what there is to say about them goes to standard error:

  python -m extensions.airoboros_longctx plan MODEL_FOLDER --export vllm --gpus 4 --nodes 2 | xargs vllm serve
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model_folder", metavar="MODEL_FOLDER", help="a model folder, or a GGUF file")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print the plan as JSON")
    output.add_argument("--export", choices=ENGINES, help="print the plan as this engine's options and nothing else")
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
    parser.add_argument("--gpus", type=_count, default=1, metavar="N", help="GPUs in a machine, for --export vllm, tgi")
    parser.add_argument("--nodes", type=_count, default=1, metavar="N", help="machines, for --export vllm (with Ray)")


def run(arguments: argparse.Namespace) -> int:
    capabilities = known_capabilities(arguments.capabilities, gpu=not arguments.no_gpu)
    request = PlanRequest(context_tokens=arguments.context, context_source="--context", loader=arguments.loader)
    facts = read_model_facts(arguments.model_folder)
    if arguments.export:
        # the engine stands in for the webui's loaders: what one of those cannot do does not matter to it
        capabilities = replace(capabilities, mechanisms=dict.fromkeys(capabilities.mechanisms, PATCH))
        return _export(arguments, facts, plan_context(facts, capabilities, request))
    plan = plan_context(facts, capabilities, request)
    print(json.dumps(plan_as_json(plan), indent=2) if arguments.json else explain(plan))
    return 0


def _export(arguments: argparse.Namespace, facts: ModelFacts, plan: ContextPlan) -> int:
    export = export_plan(plan, facts, arguments.export, arguments.gpus, arguments.nodes)
    suggestion = (suggestion_sentence(plan.suggestion),) if plan.suggestion else ()
    for sentence in (*plan.warnings, *suggestion, *export.notes):
        print(f"note: {sentence}", file=sys.stderr)
    print(export.text)
    return 0


def _count(text: str) -> int:
    """The whole number in ``text``, at least 1; a usage error with a sentence where it is none."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no count; a whole number such as 2 is needed")
    return int(text)
