"""Declarations that cannot be used are refused with the line and a sentence."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.core.formats.errors import FormatError
from extensions.airoboros_longctx.core.formats.function_declarations import (
    Function,
    Parameter,
    read_declarations,
    render_declarations,
)

BOMB = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
SHAPE = "a function has a description and, where it takes any, params"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The declaration is empty."),
        ("{}", f"The declaration has no function; at least one is needed: {SHAPE}."),
        (
            "- search",
            "Line 1: The declaration of functions is a list; a mapping from names to what they mean is needed.",
        ),
        ("search: finds", "Line 1: The function search is 'finds'; a mapping from names to what they mean is needed."),
        (
            "search:\n  params:\n    a: b",
            "Line 2: The function search has no description; a sentence on what it does is needed.",
        ),
        ("f:\n  description: d\n  parameters:\n    a: b", f"Line 4: The function f has 'parameters'; {SHAPE}."),
        ("f:\n  description: [a]", "Line 2: The description of f is a list or a mapping; a text is needed."),
        ("f:\n  description: d\n  params: [a]", "Line 3: f.params is a list; a mapping from names to what they mean is "
         "needed."),
        ("f:\n  description: d\n  params:\n    a: [b]", "Line 4: f.params.a is a list or a mapping; a text is needed."),
        ("f:\n  description: d\n  params:\n    a b: c", "Line 4: 'a b' is the name of a parameter; up to 64 letters, "
         "digits and _ $ @ . - are needed."),
        ("f:\n  description: d\n  params:\n    ASSISTANT: Sure.", "Line 4: A parameter is called ASSISTANT, which is a "
         "mark of the models' own forms; rename it."),
        ("BEGININPUT:\n  description: d", "Line 2: A function is called BEGININPUT, which is a mark of the models' own "
         "forms; rename it."),
        ("f:\n  description: a\nf:\n  description: b", "Line 3: The declaration has the name 'f' twice; leave one of "
         "them out."),
        ("f:\n  description: a\n  params:\n    x: a\n    x: b", "Line 5: The declaration has the name 'x' twice; leave "
         "one of them out."),
        (BOMB, "Line 1: The declaration has a YAML anchor or alias (& or *); write the text itself, or quote it."),
        ("f: !!python/object/apply:os.system [x]", "Line 1: The declaration has the YAML tag "
         "'tag:yaml.org,2002:python/object/apply:os.system'; leave it out."),
        ("? [a]\n: b", "Line 1: The declaration has a list or a mapping where a name is needed."),
        ("f:\n\tdescription: d", "Line 2: The declaration is not valid YAML (found character '\\t' that cannot start "
         "any token); indent what belongs to a name with blanks, below it."),
        ("f:\n  description: d\n---\ng:\n  description: d", "Line 3: The declaration has a second document (---); one "
         "is needed."),
        ("f: " + "{a: " * 20, "Line 1: The declaration is nested more than 16 deep."),
        ("a" * 64_001, "The declaration has 64001 characters; at most 64000 are read."),
        ("".join(f"f{n}:\n  description: d\n" for n in range(129)), "The declaration has 129 functions; at most 128 "
         "are taken."),
        ("f:\n  description: d\n  params:\n" + "".join(f"    p{n}: d\n" for n in range(513)), "The declaration has 513 "
         "parameters; at most 512 are taken."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(text, sentence):
    with pytest.raises(FormatError) as caught:
        read_declarations(text)
    assert str(caught.value) == sentence
    assert caught.value.line is None or sentence.startswith(f"Line {caught.value.line}: ")


def test_every_value_is_text():
    declared = read_declarations("yes:\n  description: 5\n  params:\n    1: 2021-01-01\n    null: ~\n    on: true")
    params = (Parameter("1", "2021-01-01"), Parameter("null", "~"), Parameter("on", "true"))
    assert declared == (Function("yes", "5", params),)
    assert read_declarations(render_declarations(declared)) == declared


def test_a_mapping_is_read_as_a_text_is():
    data = {"f": {"description": "d", "params": {"a": "b", "c": {"d": 3}}}}
    assert read_declarations(data) == read_declarations("f:\n  description: d\n  params:\n    a: b\n    c:\n      d: 3")


def test_what_a_schema_states_is_part_of_the_description():
    params = (
        Parameter("unit", "The unit", type="string", choices=("C", "F")),
        Parameter("days", type="integer"),
        Parameter("tags", "Tags", type="array", item_type="string"),
        Parameter("rows", "The rows.", (Parameter("x", "A number"),), type="array", item_type="object"),
        Parameter("deep", params=(Parameter("er", "Below.", (Parameter("est", "Lowest"),)),)),
    )
    assert render_declarations((Function("f", "Does it.", params),)) == (
        "f:\n  description: Does it. (rows = The rows. A list of these.) (deep.er = Below.)\n  params:\n"
        '    unit: The unit (string; one of "C", "F")\n    days: integer\n    tags: Tags (array of string)\n'
        "    rows:\n      x: A number\n    deep:\n      er:\n        est: Lowest"
    )
