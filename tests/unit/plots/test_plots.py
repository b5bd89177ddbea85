"""The pictures of a check: what is written on them, how they take what explodes, and that nothing else is touched."""

from __future__ import annotations

import builtins
import re
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from extensions.airoboros_longctx.core.checking.check_result import (
    PASSKEY,
    QUESTION,
    CheckResult,
    CheckVerdict,
    PerplexityPoint,
    RetrievalCell,
    ScalingMeasured,
)
from extensions.airoboros_longctx.core.rope_scaling import RopeScaling
from extensions.airoboros_longctx.plots.drawing import DARK, LIGHT, PlotsUnavailableError, svg_bytes
from extensions.airoboros_longctx.plots.files import plot_files, plot_svgs, write_plots
from extensions.airoboros_longctx.plots.perplexity import perplexity_figure
from extensions.airoboros_longctx.plots.retrieval import retrieval_figure

ROOT = Path(__file__).parents[3]
CONTEXTS = (64, 128, 256, 512, 1024)

drawn = pytest.mark.skipif(
    subprocess.run([sys.executable, "-c", "import matplotlib"], capture_output=True).returncode != 0,
    reason="matplotlib is not installed",
)


def scaled(factor, perplexities, cells=()):
    scaling = RopeScaling("linear" if factor > 1 else "default", factor, 256)
    points = (PerplexityPoint(context, value, 1000) for context, value in zip(CONTEXTS, perplexities, strict=True))
    return ScalingMeasured(scaling, tuple(points), tuple(cells))


def result(*measured, model="airoboros-tiny-PI-1024"):
    return CheckResult(model, "Transformers", 1024, 256, measured, CheckVerdict("right", "It is right.", 1024))


RIGHT = scaled(4, (9.8, 9.1, 8.4, 8.2, 8.1), [RetrievalCell(PASSKEY, 512, 0.25, 3, 4)])
EXPLODES = scaled(1, (9.9, 9.2, 8.5, 300.0, 2100.0))


def words(svg):
    return re.findall(r"<text[^>]*>(?:<!--.*?-->)?([^<]+)</text>", svg.decode())


@drawn
def test_perplexity_has_a_line_for_each_scaling_and_the_base_window():
    found = words(plot_svgs(result(RIGHT, EXPLODES))["perplexity.svg"])
    assert "Perplexity · airoboros-tiny-PI-1024" in found
    assert {"linear ×4, as loaded", "no scaling", "base window 256", "context (tokens)"} <= set(found)
    assert [word for word in found if word in map(str, CONTEXTS)] == ["64", "128", "256", "512", "1024"]


@drawn
def test_axis_is_logarithmic_only_where_a_curve_explodes():
    calm = scaled(2, (9.9, 9.2, 8.5, 12.0, 30.0))
    axis = lambda *measured: perplexity_figure(result(*measured)).axes[0].get_yscale()  # noqa: E731
    assert (axis(RIGHT, calm), axis(RIGHT, EXPLODES)) == ("linear", "log")


@drawn
def test_perplexity_without_a_number_is_named_and_not_drawn():
    figure = perplexity_figure(result(RIGHT, scaled(1, (9.9, 9.2, 8.5, float("inf"), float("nan")))))
    loaded, lost = figure.axes[0].get_lines()[:2]
    assert lost.get_label() == "no scaling (no number at 512, 1024)"
    assert list(lost.get_xdata()) == [64, 128, 256]
    assert list(loaded.get_ydata()) == [9.8, 9.1, 8.4, 8.2, 8.1]


@drawn
def test_perplexity_without_any_number_is_still_drawn():
    assert "linear ×4, as loaded (no number at 64, 128, 256, 512, 1024)" in words(
        svg_bytes(perplexity_figure(result(scaled(4, (float("inf"),) * 5))))
    )


@drawn
def test_crowded_contexts_leave_labels_out_and_never_the_longest():
    points = tuple(PerplexityPoint(context, 9.0, 100) for context in range(1000, 17000, 1000))
    figure = perplexity_figure(result(ScalingMeasured(RopeScaling("linear", 8, 2048), points)))
    labels = [int(tick.get_text()) for tick in figure.axes[0].get_xticklabels()]
    assert labels[-1] == 16000
    assert labels == sorted(labels)
    assert len(labels) < 10


@drawn
def test_heat_map_says_each_share_and_leaves_out_what_was_not_asked():
    cells = [RetrievalCell(PASSKEY, 512, 0.0, 4, 4), RetrievalCell(PASSKEY, 1024, 1.0, 1, 4)]
    cells += [RetrievalCell(QUESTION, 512, 0.5, 0, 2), RetrievalCell(QUESTION, 1024, 0.5, 0, 0)]
    figure = retrieval_figure(result(scaled(4, (9.0,) * 5, cells), EXPLODES))
    passkey, question = figure.axes
    assert passkey.get_title(loc="left") == "Passkey · linear ×4"
    assert question.get_title(loc="left") == "Question · linear ×4"
    assert {(text.get_position(), text.get_text()) for text in passkey.texts} == {
        ((0.5, 0.5), "100%"),
        ((1.5, 1.5), "25%"),
    }
    assert [text.get_text() for text in question.texts] == ["0%"]
    top, bottom = passkey.get_ylim()[::-1]
    assert top < bottom  # the beginning of the prompt is above


@drawn
def test_what_was_not_measured_has_no_plot():
    nothing = ScalingMeasured(RopeScaling("linear", 4, 256))
    assert plot_files(result(nothing)) == {}
    assert perplexity_figure(result(nothing)) is None
    assert list(plot_svgs(result(EXPLODES))) == ["perplexity.svg"]


@drawn
def test_files_are_png_of_a_page_width_and_svg(tmp_path):
    paths = write_plots(result(RIGHT, EXPLODES), tmp_path / "new" / "folder")
    assert [path.name for path in paths] == ["perplexity.png", "perplexity.svg", "retrieval.png", "retrieval.svg"]
    for path in paths:
        content = path.read_bytes()
        if path.suffix == ".png":
            assert content.startswith(b"\x89PNG\r\n\x1a\n")
            assert struct.unpack(">I", content[16:20]) == (800,)
        else:
            assert content.startswith(b"<?xml")


@drawn
def test_same_result_gives_the_same_svg():
    assert plot_svgs(result(RIGHT)) == plot_svgs(result(RIGHT))


@drawn
def test_model_name_is_shown_and_never_set_as_a_formula():
    name = r"a$\frac{1}$<script>" + "x" * 300
    found = words(plot_svgs(result(RIGHT, model=name))["perplexity.svg"])
    assert found[[word.startswith("Perplexity") for word in found].index(True)].startswith(
        r"Perplexity · a$\frac{1}$&lt;script&gt;xxx"
    )
    assert max(map(len, found)) < 80


@drawn
def test_many_scalings_have_lines_of_their_own():
    many = [replace(RIGHT, scaling=RopeScaling("linear", factor, 256)) for factor in range(1, 7)]
    lines = perplexity_figure(result(*many)).axes[0].get_lines()[:6]
    assert len({(line.get_color(), line.get_marker(), line.get_linestyle()) for line in lines}) == 6


@drawn
def test_no_state_of_matplotlib_is_left_behind():
    script = (
        "import sys, matplotlib; before = list(dict.items(matplotlib.rcParams))\n"  # asked itself, it imports pyplot
        "from tests.unit.plots.test_plots import RIGHT, result\n"
        "from extensions.airoboros_longctx.plots.files import plot_files\n"
        "assert len(plot_files(result(RIGHT))) == 4\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert list(dict.items(matplotlib.rcParams)) == before\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=120)


def test_without_matplotlib_a_sentence_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **named):
        if name.startswith("matplotlib"):
            raise ModuleNotFoundError(f"No module named {name!r}")
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(PlotsUnavailableError) as error:
        plot_svgs(result(RIGHT))
    assert str(error.value) == (
        "The plots need the package matplotlib, which is not installed here: pip install matplotlib in the Python "
        "that this runs in brings it. The verdict and the tables are complete without it."
    )


def luminance(colour):
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """WCAG 2.1, "contrast ratio"."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_words_and_lines_stand_out_from_the_background(theme):
    assert contrast(theme.text, theme.background) >= 7
    assert min(contrast(line, theme.background) for line in theme.lines) >= 3
