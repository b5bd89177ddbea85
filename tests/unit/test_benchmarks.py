"""What the benchmarks make of their measurements, and that the quick ones run. No time is compared with anything."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks.measuring import in_turn, row, spoken_seconds, times_row
from benchmarks.readme import BEGIN, END, KEPT, table, write_readme
from benchmarks.rows import Options, Row, read_json, write_json
from benchmarks.table import columns

ROOT = Path(__file__).parents[2]
ROW = Row("a way", "another", 0.75, (0.5, 1.25), "at most 1", True, 5, "3 s, 4 s")


def test_each_way_goes_first_in_every_other_pair():
    order: list[str] = []

    def way(name: str, seconds: float) -> float:
        order.append(name)
        return seconds

    assert in_turn(lambda: way("own", 1), lambda: way("other", 2), 3) == ([1, 1, 1], [2, 2, 2])
    assert order == ["other", "own", "own", "other", "other", "own"]


def test_a_row_is_the_median_of_its_pairs():
    made = times_row("a way", [1.0, 2.0, 6.0, 3.0, 5.0], "another", [1.0] * 4 + [10.0], at_most=2)
    assert made == Row("a way", "another", 2.0, (0.5, 6.0), "at most 2", True, 5, "3 s, 1 s")


def test_where_quicker_is_the_goal_theirs_is_divided_by_ours():
    made = times_row("a way", [0.1], "another", [0.5], at_least=5.5)
    assert made == Row("a way", "another", 5.0, (5.0, 5.0), "at least 5.5", False, 1, "100 ms, 500 ms")


@pytest.mark.parametrize(("ratios", "met"), [([1.0, 1.0, 1.0], True), ([1.0, 1.0, 1.0000000000000002], False)])
def test_exactly_means_every_pair(ratios, met):
    assert row("a way", "another", ratios, exactly=1.0).met is met


def test_without_a_goal_nothing_is_met_or_missed():
    made = row("a way", "another", [1.0, 3.0, 2.0])
    assert (made.goal, made.met) == ("", None)
    assert columns(made) == ("a way", "another", "2", "1.000 to 3", "", "")


def test_a_goal_that_is_reached_exactly_is_met():
    assert row("a way", "another", [1.2], at_most=1.2).met is True
    assert row("a way", "another", [50.0], at_least=50).met is True


@pytest.mark.parametrize(
    ("ratio", "spoken"), [(0.98765, "0.988"), (0.0123456, "0.0123"), (19.74, "19.7"), (4812.6, "4,813")]
)
def test_ratios_are_printed_with_the_digits_that_say_something(ratio, spoken):
    assert columns(Row("a", "b", ratio, (ratio, ratio), "", None, 5))[2:4] == (spoken, f"{spoken} to {spoken}")


def test_seconds_are_said_in_their_unit():
    assert [spoken_seconds(seconds) for seconds in (1.234, 0.0456)] == ["1.23 s", "45.6 ms"]


def test_rows_come_back_from_their_json(tmp_path: Path):
    rows = [ROW, Row("b", "c", 2.0, (1.0, 3.0), "", None, 7)]
    write_json(rows, tmp_path / "rows.json")
    assert read_json(tmp_path / "rows.json") == rows
    kept = json.loads((tmp_path / "rows.json").read_text())
    assert set(kept[0]) == {"name", "against", "ratio", "spread", "goal", "met", "pairs", "measured"}
    assert kept[0]["spread"] == [0.5, 1.25]


def test_the_readme_shows_goals_and_says_which_are_missed(tmp_path: Path):
    missed = Row("slow", "quick", 2.0, (1.0, 3.0), "at most 1.5", False, 5)
    made = table([ROW, missed, Row("by the way", "quick", 2.0, (1.0, 3.0), "", None, 5)])
    assert made.splitlines()[2:] == [
        "| a way | another | 0.750 | 0.5 to 1.250 | 5 | at most 1 |",
        "| slow | quick | 2 | 1.000 to 3 | 5 | at most 1.5: **missed** |",
    ]
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n\n{BEGIN}\n\nold\n\n{END}\nafter\n")
    write_readme([ROW], readme)
    assert readme.read_text() == f"before\n\n{BEGIN}\n\n{table([ROW])}\n\n{END}\nafter\n"


def test_five_pairs_are_the_least_that_is_a_figure():
    assert (Options().pairs(), Options().pairs(7), Options().pairs(3)) == (5, 7, 5)
    assert Options(quick=True).pairs(7) == 2


def test_every_benchmark_says_what_it_measures(capsys: pytest.CaptureFixture[str]):
    assert bench.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(bench.BENCHMARKS)
    assert all(line.split(maxsplit=1)[1].endswith(".") for line in lines)


@pytest.mark.parametrize("part", [["--only", "changes"], ["--quick"]])
def test_the_readme_is_made_from_whole_runs(part, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        bench.main([*part, "--json", str(KEPT)])
    assert f"{KEPT} is what the README's table is made from, and takes a whole run.\n" in capsys.readouterr().err


def test_without_a_webui_its_rows_are_left_out_with_a_sentence(tmp_path: Path):
    kept = tmp_path / "rows.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--only", "extension-cost", "--json", str(kept)],
        cwd=ROOT,
        env={"TEXTGEN_HOSTS": str(tmp_path), "PATH": "", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0
    assert done.stderr == (
        f"extension-cost: no webui found in {tmp_path}. TEXTGEN_HOSTS names a folder with a release in each of its "
        "own, as v4.7.3/webui (a checkout) and v4.7.3/venv (its Python).\n"
    )
    assert read_json(kept) == []


@pytest.mark.slow
def test_the_quick_benchmarks_run(tmp_path: Path):
    kept = tmp_path / "rows.json"
    names = ["scaled-load", "packing", "changes", "passages"]
    asked = [sys.executable, "-m", "benchmarks", "--quick", "--json", str(kept), "--only", *names]
    subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, timeout=300)
    rows = read_json(kept)
    assert len({(row.name, row.against) for row in rows}) == len(rows) >= 15
    for found in rows:
        assert found.pairs == 2
        assert 0 < found.spread[0] <= found.ratio <= found.spread[1]
        assert (found.goal == "") is (found.met is None)
    exact = [found for found in rows if found.goal == "exactly 1"]
    assert [(found.ratio, found.spread, found.met) for found in exact] == [(1.0, (1.0, 1.0), True)] * 2
