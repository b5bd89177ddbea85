"""Every name of the webui that we touch is in ``host_names.yaml``, and in the releases of which that says so."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from extensions.airoboros_longctx.host.webui.seams import SEAMS, Seam
from tests.contract.host_names import EVERY_RELEASE, HostNames, read_host_names
from tests.contract.our_words import PACKAGE, files_that_import_the_webui, host_files, words_in, words_of
from tests.contract.webui_source import WebuiSource
from tests.real_hosts import RealHost, find_hosts

#: The room of the files that know the webui; ``used_in`` names them from here on.
HOUSE = "host/webui/"
#: Our files outside it that share a name with the webui: what it calls, and what our script finds on its page.
OUTSIDE = {
    "script.py": lambda text: {"params", *re.findall(r"^def ([a-z]\w+)", text, re.MULTILINE)},
    "ui/refresh.js": lambda text: set(re.findall(r'getElementById\("((?!airoboros)[^"]+)"\)', text)),
}


@pytest.fixture(scope="module")
def listed() -> HostNames:
    return read_host_names()


# -- our own sources ---------------------------------------------------------------------------------------------------


def words_touched(file: str) -> set[str]:
    if file in OUTSIDE:
        return OUTSIDE[file]((PACKAGE / file).read_text(encoding="utf-8"))
    return words_of(file)


def listed_for(file: str, listed: HostNames) -> set[str]:
    """The words that the list has for ``file``, a path within the package."""
    inside = file.removeprefix(HOUSE) if file.startswith(HOUSE) else f"../../{file}"
    return {word for name in listed.names if inside in name.used_in for word in name.words}


def test_only_its_own_room_imports_the_webui() -> None:
    assert [file for file in files_that_import_the_webui() if not file.startswith(HOUSE)] == []


@pytest.mark.parametrize("file", [*host_files(), *OUTSIDE])
def test_nothing_is_touched_that_the_list_lacks(file: str, listed: HostNames) -> None:
    others = listed.ours | (listed.of_the_engines if "loader_settings/" in file else set())
    assert sorted(words_touched(file) - listed_for(file, listed) - others) == [], "name them in host_names.yaml"


def test_nothing_is_listed_that_no_file_touches(listed: HostNames) -> None:
    touched = {file: words_touched(file) for file in (*host_files(), *OUTSIDE)}
    for name in listed.names:
        for file in name.used_in:
            path = file.removeprefix("../../") if file.startswith("../../") else f"{HOUSE}{file}"
            assert name.words & touched[path], f"{file} does not touch {name.name}"
    everything = set().union(*touched.values())
    assert sorted((listed.ours | listed.of_the_engines) - everything) == []


def test_no_word_is_the_webuis_and_ours(listed: HostNames) -> None:
    assert sorted(listed.ours & {word for name in listed.names for word in name.words}) == []


def test_no_name_is_there_twice(listed: HostNames) -> None:
    rows = Counter((one.what, one.name, one.places) for one in listed.names)
    assert [row for row, count in rows.items() if count > 1] == []


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("from modules import shared\nshared.new_name", "modules.shared.new_name"),
        ("from modules import shared\nself._s = shared\nself._s.args.new", "modules.shared.args.new"),
        ("from modules import shared\na, b = 1, shared.args\nb.new", "modules.shared.args.new"),
        ("import modules.chat\nmodules.chat.new", "modules.chat.new"),
        ("from modules.new import name", "modules.new.name"),
        ("getattr(args, 'new_flag', None)", "new_flag"),
        ("state['new_key']", "new_key"),
    ],
)
def test_a_new_name_is_found_however_it_is_reached(source: str, word: str) -> None:
    assert word in words_in(ast.parse(source))


# -- the releases ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", find_hosts() or [None], ids=lambda host: host.name if host else "none found")
def test_a_release_has_what_the_list_says(host: RealHost | None, listed: HostNames) -> None:
    if host is None:
        pytest.skip("no real webui found; see TEXTGEN_HOSTS in tests/real_hosts.py")
    differences = listed.differences(WebuiSource(host.webui), host.name)
    assert differences == [], "\n".join(differences)


@pytest.mark.parametrize("seam", SEAMS, ids=lambda seam: seam.name)
def test_a_seam_says_the_releases_of_the_list(seam: Seam, listed: HostNames) -> None:
    (row,) = [one for one in listed.names if one.name == f"{seam.module}.{seam.name}" and "wrap" in one.what]
    newest = listed.releases[-1]
    assert seam.seen_in == (f"{row.seen} {newest}" if row.seen.endswith(" -") else row.seen)


def test_every_loader_of_every_release_passes_through_a_seam(listed: HostNames) -> None:
    """Else ``hooks`` would say in that release that it has no place for the loader."""
    seams = [
        (seam.loader, name) for seam in SEAMS for name in listed.names if name.name == f"{seam.module}.{seam.name}"
    ]
    loaders = [name for name in listed.names if name.what == "loader"]
    assert {name.name for name in loaders} == {loader for loader, _ in seams if loader}
    for loader in loaders:
        for release in filter(lambda release: listed.is_in(loader.seen, release), listed.releases):
            places = [name for owner, name in seams if owner == loader.name and listed.is_in(name.seen, release)]
            assert places, f"{release} offers {loader.name}, and no seam catches its loads"


def webui(folder: Path, **files: str) -> WebuiSource:
    for name, text in files.items():
        (folder / "modules").mkdir(exist_ok=True)
        (folder / "modules" / f"{name}.py").write_text(text, encoding="utf-8")
    return WebuiSource(folder)


LOADER = "the function that we wrap modules.models.transformers_loader"
NEEDED = "needed to scale and confirm a load."
LACKS = f"lacks {LOADER}, {NEEDED} In other releases: huggingface_loader."
TAKES_NO_NAME = f"v4.7.3: {LOADER} does not take model_name, {NEEDED}"
TOO_MUCH = f"v1.7 has {LOADER}, which host_names.yaml says is in v3.0 - only."


@pytest.mark.parametrize(
    ("release", "source", "said"),
    [
        ("v4.7.3", "def load_transformers(model_name): ...", [f"v4.7.3 {LACKS}"]),
        ("a release of tomorrow", "", [f"a release of tomorrow {LACKS}"]),
        ("v4.7.3", "def transformers_loader(name): ...", [TAKES_NO_NAME]),
        ("v1.7", "def transformers_loader(model_name): ...", [TOO_MUCH]),
        ("v4.7.3", "def transformers_loader(model_name, more=None): ...", []),
        ("v1.7", "", []),
    ],
)
def test_a_release_that_renames_a_name_names_it(release: str, source: str, said: list[str], tmp_path: Path) -> None:
    found = read_host_names().differences(webui(tmp_path, models=source), release)
    assert [sentence for sentence in found if ".transformers_loader" in sentence.split(", ")[0]] == said


def test_an_empty_folder_lacks_every_name_of_its_release(listed: HostNames, tmp_path: Path) -> None:
    expected = [name.name for name in listed.names if listed.is_in(name.seen, "v4.7.3")]
    said = listed.differences(WebuiSource(tmp_path), "v4.7.3")
    assert len(said) == len(expected) > 100
    assert all(f" {name}, needed to " in sentence for name, sentence in zip(expected, said, strict=True))


@pytest.mark.parametrize(
    ("seen", "inside", "outside"),
    [
        (EVERY_RELEASE, ["v1.3.1", "snapshot-2023-12-31", "v4.7.3", "v9"], []),
        ("v1.6 - v3.0", ["v1.6", "v1.7", "snapshot-2023-12-31", "v1.16", "v3.0"], ["v1.5", "v3.1", "v9"]),
        ("v3.1 -", ["v3.1", "v4.7.3", "v9"], ["v3.0", "snapshot-2023-12-31"]),
    ],
)
def test_where_a_release_lies(seen: str, inside: list[str], outside: list[str], listed: HostNames) -> None:
    assert [release for release in (*inside, *outside) if listed.is_in(seen, release)] == inside


KINDS = """
import auto_gptq
loaders_and_params = OrderedDict({'Transformers': ['cpu']})
args = parser.add_argument('--ctx-size', '--n_ctx', type=int)
settings = {'truncation_length': 2048}
with gr.Blocks() as shared.gradio['interface']:
    shared.gradio['mode'] = gr.Radio()
shared.input_elements = ui.list_interface_input_elements()
def list_interface_input_elements():
    return ['temperature']
class Error:
    def __init__(self, message, param, code=400): self.code = code
def chat(text, state, **kwargs): return kwargs.get('history')
"""


def test_every_kind_of_name_is_found_where_it_stands(tmp_path: Path) -> None:
    source = webui(tmp_path, shared=KINDS, loaders=KINDS, ui=KINDS)
    found = {
        "module": ("modules.shared", "modules.chat"),
        "function": ("modules.shared.Error", "modules.shared.Failure"),
        "attribute": ("modules.shared.input_elements", "modules.shared.output_elements"),
        "flag": ("ctx_size", "n_ctx"),
        "setting": ("truncation_length", "mode"),
        "state_key": ("temperature", "mode"),
        "component": ("interface", "truncation_length"),
        "loader": ("Transformers", "cpu"),
        "import": ("auto_gptq", "gptq"),
        "path": ("modules", "user_data"),
    }
    for kind, (there, absent) in found.items():
        has = getattr(source, f"has_{kind}")
        assert (has(there), has(absent)) == (True, False), kind
    place = ["modules/shared.py", "modules/none.py"]
    assert (source.has_word("history", place), source.has_word("histories", place)) == (True, False)
    assert (source.has_object_attribute("code", place), source.has_object_attribute("param", place)) == (True, False)
    assert source.lacks("modules.shared.Error", [], ["message", "param"]) == []
    assert source.lacks("modules.shared.Error", ["param"], ["reason"]) == ["param", "reason"]
    assert source.lacks("modules.shared.chat", ["text", "state"], ["history", "more"]) == ["more"]
