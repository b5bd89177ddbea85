"""``families``: the model families known by name, as the Markdown table that the README shows."""

from __future__ import annotations

import argparse

from ..core.families import families

NAME = "families"
HELP = "list the model families that are known by name"
DESCRIPTION = "List the model families that are known by name: their windows, their scaling, and who says so."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    del parser


def run(arguments: argparse.Namespace) -> int:
    del arguments
    print(families_table())
    return 0


def families_table() -> str:
    """A Markdown table of ``core/families.yaml``; windows in tokens."""
    rows = ["| family | base window | scaling | window | source |", "|---|---|---|---|---|"]
    for family in families():
        scaling = "none" if family.factor == 1 else f"{family.rope_type} ×{family.factor:g}"
        base, window = family.original_max_position_embeddings, family.max_position_embeddings
        rows.append(f"| {family.name} | {base} | {scaling} | {window} | [source]({family.source}) |")
    return "\n".join(rows)
