"""The words with which our sources name things of the webui, found by reading them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "extensions" / "airoboros_longctx"
#: The failure points name our own steps.
_WITHOUT_WEBUI = ("host/webui/failure_points.py",)
_WORD = re.compile(r"-{0,2}[A-Za-z_][\w./#-]+")


def host_files() -> list[str]:
    """The files that know the webui, relative to the package."""
    found = [path.relative_to(PACKAGE).as_posix() for path in sorted((PACKAGE / "host" / "webui").rglob("*.py"))]
    return [name for name in found if name not in _WITHOUT_WEBUI]


def files_that_import_the_webui() -> list[str]:
    """Every file of the package with an import of ``modules`` or of the webui's ``extensions``."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            if any(name.partition(".")[0] in ("modules", "extensions", "server") for name in names):
                found.append(path.relative_to(PACKAGE).as_posix())
    return list(dict.fromkeys(found))


def words_of(file: str) -> set[str]:
    """Every name of the webui that ``file`` may touch: all its strings that look like one (keys, flags, paths; also
    those of our own), and by their full names the attributes that it takes of the webui's modules."""
    return words_in(ast.parse((PACKAGE / file).read_text(encoding="utf-8")))


def words_in(tree: ast.Module) -> set[str]:
    docs = {id(node.body[0].value) for node in ast.walk(tree) if _has_docstring(node)}  # type: ignore[attr-defined]
    strings = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    }
    return {text for text in strings if _WORD.fullmatch(text)} | _attributes_of_the_webui(tree)


def _has_docstring(node: ast.AST) -> bool:
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
        return False
    return bool(node.body) and isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant)


def _attributes_of_the_webui(tree: ast.Module) -> set[str]:
    """``modules.chat.generate_chat_prompt``, ``modules.shared.args.cpu``: what is imported, and what is taken of it."""
    known = dict(_imported(tree))
    found = set(known.values())
    for _ in range(2):  # a name may stand for something that is itself kept under another name
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                known.update(_kept(node, known))
    for node in ast.walk(tree):
        path = _path(node, known)
        if isinstance(node, ast.Attribute) and path and path.startswith("modules.") and _is_a_name(path):
            found.add(path)
    return found


def _is_a_name(path: str) -> bool:
    """Attributes of modules, and of their ``args``: what lies deeper are a dict's methods and a model's own."""
    home, _, _ = path.rpartition(".")
    return home.count(".") == 1 or home in ("modules.shared.args", "modules.api.errors")


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.arg == "shared":
            yield "shared", "modules.shared"
        elif isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] == "modules":
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "modules":
                    yield (alias.asname, alias.name) if alias.asname else ("modules", "modules")


def _kept(node: ast.Assign, known: dict[str, str]) -> Iterator[tuple[str, str]]:
    """``args = self._shared.args``, also as one of several."""
    for target in node.targets:
        pairs = [(target, node.value)]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=False))
        for one, value in pairs:
            path = _path(value, known)
            if path and isinstance(one, ast.Name | ast.Attribute):
                yield ast.unparse(one), path


def _path(node: ast.AST, known: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "sys.modules.get":
        return str(getattr(node.args[0], "value", "")) or None
    if not isinstance(node, ast.Attribute):
        return None
    kept, before = known.get(ast.unparse(node)), _path(node.value, known)
    return kept or (f"{before}.{node.attr}" if before else None)
