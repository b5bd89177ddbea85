"""The extension starts under every way in which a webui imports it, and never takes the webui down with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .webui_imports import (
    PACKAGE,
    STUB_EXTENSION,
    WAYS,
    Way,
    import_as,
    real_package,
    stub_package,
    whole_clone,
)

every_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.id)
every_shape = pytest.mark.parametrize("shape", ["the folder", "a clone"])
LONE_FILE_WAY = WAYS[-1]

#: A plain webui's Python, as far as an import may rely on it: the standard library and PyYAML.
ONLY_YAML = """
class OnlyYaml:
    def find_spec(self, name, path=None, target=None):
        known = {"yaml", "_yaml", "extensions", "user_data", "airoboros_longctx"}
        if name.split(".")[0] not in known | sys.stdlib_module_names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, OnlyYaml())
"""
NO_YAML = ONLY_YAML.replace('"yaml", "_yaml", ', "")

CALL_EVERY_HOOK = """
script.setup(); script.ui()
report["state"] = script.state_modifier({"prompt": "p"})
report["css"], report["js"] = script.custom_css(), script.custom_js()
"""


def install(way: Way, shape: str, webui: Path, real: bool = False, extension: str = STUB_EXTENSION) -> str:
    """Put the extension where this way looks for it; its name there."""
    package = real_package if real else (lambda folder: stub_package(folder, extension))
    if shape == "the folder":
        package(webui / way.folder / "airoboros_longctx")
        return "airoboros_longctx"
    whole_clone(webui / way.folder / "longctx_from_git", package)
    return "longctx_from_git"


@every_shape
@every_way
def test_hooks_and_settings_reach_the_extension(way: Way, shape: str, tmp_path: Path) -> None:
    name = install(way, shape, tmp_path)
    outcome = import_as(
        way,
        name,
        tmp_path,
        before="path_before = list(sys.path)",
        then="script.params['greeting'] = 'set by the webui'"
        + CALL_EVERY_HOOK
        + "report['calls'] = [m for n, m in sys.modules.items() if n.endswith('longctx.extension')][0].calls\n"
        + "report['name'], report['path_kept'] = script.__name__, sys.path == path_before",
    )
    assert outcome.report["state"] == {"prompt": "p", "greeting": "set by the webui"}
    assert (outcome.report["css"], outcome.report["js"]) == (".css", "js()")
    assert outcome.report["calls"] == [outcome.report["name"], "ui"]
    assert name in outcome.report["name"], "setup() must be told the name that the webui knows"
    assert outcome.report["path_kept"], "extensions/ on sys.path would expose the webui's other extensions"
    assert outcome.said == []


@every_shape
def test_a_restart_of_the_page_meets_the_same_extension(shape: str, tmp_path: Path) -> None:
    name = install(LONE_FILE_WAY, shape, tmp_path)
    outcome = import_as(
        LONE_FILE_WAY,
        name,
        tmp_path,
        then="""
script.setup()
again = run_script()
again.setup()
extensions = [module for key, module in sys.modules.items() if key.endswith("longctx.extension")]
report["extensions"], report["setups"] = len(extensions), len(extensions[0].calls)
report["new_script"], report["same_params"] = again is not script, again.params is script.params
""",
    )
    assert outcome.report == {"extensions": 1, "setups": 2, "new_script": True, "same_params": True}


def test_a_link_to_the_folder_works_as_the_folder(tmp_path: Path) -> None:
    links = tmp_path / "user_data" / "extensions"
    links.mkdir(parents=True)
    try:
        (links / "airoboros_longctx").symlink_to(PACKAGE, target_is_directory=True)
    except OSError as error:
        pytest.skip(f"this system makes no links: {error}")
    outcome = import_as(LONE_FILE_WAY, "airoboros_longctx", tmp_path, then="report['params'] = sorted(script.params)")
    assert outcome.report["params"]
    assert outcome.said == []


@every_shape
@every_way
def test_the_extension_imports_with_only_pyyaml(way: Way, shape: str, tmp_path: Path) -> None:
    name = install(way, shape, tmp_path, real=True)
    outcome = import_as(way, name, tmp_path, before=ONLY_YAML, then="report['params'] = sorted(script.params)")
    assert outcome.said == []
    assert outcome.report["params"]


@every_way
def test_where_nothing_else_is_there_every_hook_still_returns(way: Way, tmp_path: Path) -> None:
    name = install(way, "the folder", tmp_path, real=True)
    outcome = import_as(way, name, tmp_path, before=ONLY_YAML, then="script.setup()\n" + CALL_EVERY_HOOK)
    assert outcome.report["state"] == {"prompt": "p"}
    assert all(isinstance(outcome.report[hook], str) for hook in ("css", "js"))
    assert all(line.startswith("[airoboros_longctx] ") for line in outcome.said)


BROKEN = {
    "a package is missing": ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
    "a file is broken": ("def broken(:", "SyntaxError: "),
    "its import raises": ("raise RuntimeError('half a download')", "RuntimeError: half a download"),
}


@every_shape
@every_way
@pytest.mark.parametrize("broken", list(BROKEN))
def test_an_extension_that_cannot_start_says_so_once(broken: str, way: Way, shape: str, tmp_path: Path) -> None:
    source, reason = BROKEN[broken]
    name = install(way, shape, tmp_path, extension=source)
    outcome = import_as(way, name, tmp_path, then=CALL_EVERY_HOOK + "report['params'] = script.params")
    assert outcome.report == {"state": {"prompt": "p"}, "css": "", "js": "", "params": {}}
    assert outcome.said[0].startswith("[airoboros_longctx] The extension could not start: " + reason)
    assert len(outcome.said) == 1


@every_way
def test_without_pyyaml_the_webui_goes_on(way: Way, tmp_path: Path) -> None:
    name = install(way, "the folder", tmp_path, real=True)
    outcome = import_as(way, name, tmp_path, before=NO_YAML, then=CALL_EVERY_HOOK)
    assert outcome.report == {"state": {"prompt": "p"}, "css": "", "js": ""}
    assert len(outcome.said) == 1
    assert "could not start: ModuleNotFoundError: No module named 'yaml'" in outcome.said[0]


@every_way
def test_a_hook_that_fails_hands_back_what_it_got(way: Way, tmp_path: Path) -> None:
    failing = STUB_EXTENSION + "".join(
        f"def {hook}(*given): raise ValueError('planted')\n"
        for hook in ("setup", "ui", "state_modifier", "custom_css", "custom_js")
    )
    name = install(way, "the folder", tmp_path, extension=failing)
    outcome = import_as(way, name, tmp_path, then=CALL_EVERY_HOOK * 2)
    assert outcome.report == {"state": {"prompt": "p"}, "css": "", "js": ""}
    hooks = ["setup", "ui", "state_modifier", "custom_css", "custom_js"]
    assert [line.partition(" failed: ValueError: planted")[0] for line in outcome.said] == [
        f"[airoboros_longctx] {hook}" for hook in hooks
    ]
