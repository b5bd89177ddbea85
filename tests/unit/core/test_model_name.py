"""Folder names as the webui's downloader and git write them."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.core.families import families, find_family, find_generation
from extensions.airoboros_longctx.core.prompts.instruction_templates import instruction_templates
from extensions.airoboros_longctx.core.reading.model_name import comparable, parse_model_name


@pytest.mark.parametrize(
    ("folder", "organization", "model", "branch"),
    [
        ("airoboros-7b-gpt4", None, "airoboros-7b-gpt4", None),
        (
            "bhenrym14_airoboros-33b-gpt4-1.4.1-PI-8192-GPTQ",
            "bhenrym14",
            "airoboros-33b-gpt4-1.4.1-PI-8192-GPTQ",
            None,
        ),
        (
            "TheBloke_Airoboros-65B-GPT4-m2.0-GPTQ_gptq-4bit-32g-actorder_True",
            "TheBloke",
            "Airoboros-65B-GPT4-m2.0-GPTQ",
            "gptq-4bit-32g-actorder_True",
        ),
        (
            "TheBloke_Airoboros-65B-GPT4-m2.0-GPTQ_gptq-3bit--1g-actorder_True",
            "TheBloke",
            "Airoboros-65B-GPT4-m2.0-GPTQ",
            "gptq-3bit--1g-actorder_True",
        ),
        ("airoboros-7b_gptq-4bit-128g-actorder_True", None, "airoboros-7b", "gptq-4bit-128g-actorder_True"),
        ("turboderp_model-exl2_4.0bpw", "turboderp", "model-exl2", "4.0bpw"),
        ("_model", None, "_model", None),
        ("", None, "", None),
    ],
)
def test_a_folder_name_is_taken_apart(folder: str, organization: str | None, model: str, branch: str | None) -> None:
    parts = parse_model_name(folder)
    assert (parts.organization, parts.model, parts.branch) == (organization, model, branch)


IN_THE_WILD = [
    ("airoboros-33b-gpt4-1.4.1-PI-8192-fp16", 2048, 4, "linear", "1.3, 1.4"),
    ("airoboros-13b-gpt4-1.4.1-PI-8192-GPTQ", 2048, 4, "linear", "1.3, 1.4"),
    ("airoboros-33b-gpt4-1.4.1-lxctx-PI-16384-GPTQ", 2048, 8, "linear", "1.3, 1.4"),
    ("airoboros-7b-gpt4-1.4.1-lxctx-PI-16384-fp16", 2048, 8, "linear", "1.3, 1.4"),
    ("airo-7b-lxctx-PI-16384-fp16", 2048, 8, "linear", "1.3, 1.4"),
    ("airoboros-33B-gpt4-1-4-SuperHOT-8K-fp16", 2048, 4, "linear", "1.3, 1.4"),
    ("airoboros-33B-gpt4-1-4-SuperHOT-8K-GPTQ", 2048, 4, "linear", "1.3, 1.4"),
    ("Wizard-Vicuna-13B-Uncensored-SuperHOT-8K-GPTQ", 2048, 4, "linear", None),
    ("airoboros-33b-gpt4-1.4.1-NTK-16384-GPTQ", 2048, 8, "ntk", "1.3, 1.4"),
    ("airophin-13b-pntk-16k-fp16", 4096, 4, "ntk_by_parts", "not stated in the name"),
    ("airophin-v2-13b-PI-8k-fp16", 4096, 2, "linear", "not stated in the name"),
    ("airoboros-l2-13b-PI-16k-fp16", 4096, 4, "linear", "not stated in the name"),
    ("longchat-13b-16k", 2048, 8, "linear", None),
    ("LLongMA-2-7b", 4096, 2, "linear", None),
    ("LLongMA-2-13b-16k", 4096, 4, "linear", None),
    ("vicuna-7b-v1.5-16k", 4096, 4, "linear", None),
    ("LLaMA-2-7B-32K", 4096, 8, "linear", None),
    ("airoboros-7b-gpt4", 2048, 1, "default", "1.0, 1.1"),
    ("airoboros-13b-gpt4-1.1", 2048, 1, "default", "1.0, 1.1"),
    ("airoboros-7B-gpt4-1.2-GPTQ", 2048, 1, "default", "1.2"),
    ("airoboros-13B-gpt4-1.3-GGML", 2048, 1, "default", "1.3, 1.4"),
    ("airoboros-33B-GPT4-2.0-GPTQ", 2048, 1, "default", "2.0, m2.0"),
    ("Airoboros-65B-GPT4-m2.0-GPTQ", 2048, 1, "default", "2.0, m2.0"),
    ("airoboros-l2-13b-gpt4-1.4.1", 4096, 1, "default", "1.3, 1.4"),
    ("airoboros-l2-7b-gpt4-m2.0", 4096, 1, "default", "2.0, m2.0"),
    ("airoboros-13b-gpt4-1.4-ggml-q4_K_M", 2048, 1, "default", "1.3, 1.4"),
]


@pytest.mark.parametrize(("name", "base", "factor", "rope_type", "generation"), IN_THE_WILD)
def test_names_in_the_wild_find_their_row(
    name: str, base: int, factor: float, rope_type: str, generation: str | None
) -> None:
    family = find_family(name)
    assert family is not None
    assert (family.original_max_position_embeddings, family.factor, family.rope_type) == (base, factor, rope_type)
    found = find_generation(name)
    assert (found.name if found else None) == generation


def test_every_row_is_reached_by_a_name_in_the_wild() -> None:
    assert {find_family(name) for name, *_ in IN_THE_WILD} == set(families())


@pytest.mark.parametrize(
    "name",
    [
        "airoboros-l2-13b-gpt4-PI-8k",
        "airoboros-13b-gpt4-16k",
        "airoboros-l2-13b-gpt4-yarn-64k",
        "llama-7b",
        "LLongMA-2-7b-32k",
        "",
    ],
)
def test_other_names_are_outside_the_registry(name: str) -> None:
    assert find_family(name) is None


@pytest.mark.parametrize(
    ("name", "generation", "template", "separator"),
    [
        ("airoboros-l2-13b-2.1", "2.1", "Airoboros-2.1", " "),
        ("airoboros-33b-2.1", "2.1", "Airoboros-2.1", " "),
        ("Airoboros-L2-13B-2.2-GPTQ", "2.2", "Airoboros-2.2", " "),
        ("airoboros-l2-13b-2.2.1", "2.2", "Airoboros-2.2", " "),
        ("airoboros-mistral2.2-7b", "2.2", "Airoboros-2.2", " "),
        ("spicyboros-13b-2.2", "2.2", "Airoboros-2.2", " "),
        ("airoboros-l2-70b-3.1.2", "3.x", "Airoboros-3", " "),
        ("airoboros-m-7b-3.1.2", "3.x", "Airoboros-3", " "),
        ("airoboros-7b-gpt4", "1.0, 1.1", "Airoboros-1.2", None),
        ("airoboros-7b-gpt4-1.2", "1.2", "Airoboros-1.2", "  "),
        ("airoboros-33b-gpt4-1.4.1-PI-8192-fp16", "1.3, 1.4", "Airoboros-1.4", "\n"),
        ("airoboros-65b-gpt4-m2.0", "2.0, m2.0", "Airoboros-1.4", " "),
        ("airoboros-l2-7b-gpt4-2.0", "2.0, m2.0", "Airoboros-1.4", " "),
    ],
)
def test_a_generation_decides_template_and_separator(
    name: str, generation: str, template: str, separator: str | None
) -> None:
    found = find_generation(name)
    assert found is not None
    assert (found.name, found.template, found.plainformat_separator) == (generation, template, separator)
    assert instruction_templates()[template].stop == found.stop
    assert found.function_calling is (generation not in ("1.0, 1.1", "1.2", "1.3, 1.4"))


@pytest.mark.parametrize("name", ["longchat-7b-16k", "vicuna-7b-v1.5-16k", "WizardLM-SuperHOT-8K", "llama-7b", ""])
def test_other_models_have_no_generation(name: str) -> None:
    assert find_generation(name) is None


def test_names_are_compared_in_one_spelling() -> None:
    assert comparable("Airoboros-33B_GPT4-1.4") == comparable("airoboros-33b-gpt4-1-4")
