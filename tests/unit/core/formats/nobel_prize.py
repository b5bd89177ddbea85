"""The card's own plan: who won the Nobel Prize, and with what."""

from __future__ import annotations

from pathlib import Path

from extensions.airoboros_longctx.core.formats.plan_evidence import EVIDENCE, HASH
from extensions.airoboros_longctx.core.formats.rewoo_plan import PlanRequest, Tool

GOLDEN = Path(__file__).parents[3] / "golden" / "formats"
TOOLS = (
    Tool(
        "DuckDuckGo",
        "Tool that enables the user to search for information using the DuckDuckGo search engine. This tool is helpful "
        "in locating a suitable list of sites that may contain the answer to the user's query. It does not directly "
        "answer the question but finds a list of sites that might have the answer.",
    ),
    Tool(
        "TextScraper",
        "Load one or more websites from the input string containing newline delimited links, where input is one or "
        "more links, and produces plain text output containing the content of the links.",
    ),
    Tool(
        "HyperlinkExtractor",
        "Extract links from plain text and produces a plain text, newline delimited response of links.",
    ),
    Tool(
        "KnowledgeModel",
        "Question answering language model, particularly useful in answering questions based on an input passage of "
        "text. The input must be a text question that references an :evidence[n]: variable, e.g. What color is the "
        "cat, given :evidence1:?",
    ),
)
QUESTION = "Who won the Nobel Prize in Literature in 2020 and what is their most famous work?"
FOLDERS = {EVIDENCE: "rewoo_plan-card", HASH: "rewoo_plan-hash"}


def request(spelling: str = EVIDENCE) -> PlanRequest:
    return PlanRequest(QUESTION, TOOLS, spelling)


def prompt(spelling: str = EVIDENCE) -> str:
    return (GOLDEN / FOLDERS[spelling] / "prompt.txt").read_text("utf-8")


def reply(spelling: str = EVIDENCE) -> str:
    return (GOLDEN / FOLDERS[spelling] / "reply.txt").read_text("utf-8")
