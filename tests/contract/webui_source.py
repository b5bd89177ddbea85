"""What stands in a webui's source, read without running it: the names of one checkout, by kind."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef


class WebuiSource:
    """One checkout. Every ``has_<kind>`` says whether the webui has a name of that kind, as the running one would."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._trees: dict[str, ast.Module] = {}
        self._words_of: dict[str, frozenset[str]] = {}

    # -- the kinds of names -------------------------------------------------------------------------------------------

    def has_module(self, name: str) -> bool:
        return self._file_of(name) is not None

    def has_function(self, name: str) -> bool:
        return self._definition(name) is not None

    def lacks(self, name: str, positional: list[str], named: list[str]) -> list[str]:
        """Of the arguments that we hand over or look for, those that the function or class ``name`` does not take."""
        found = self._definition(name)
        function = self._constructor(found, name) if isinstance(found, ast.ClassDef) else found
        if function is None:
            return [*positional, *named]
        parameters = [one.arg for one in (*function.args.posonlyargs, *function.args.args) if one.arg != "self"]
        words = set(_strings(function)) if function.args.kwarg else set()
        known = {*parameters, *(one.arg for one in function.args.kwonlyargs), *words}
        in_place = parameters[: len(positional)] == positional
        return ([] if in_place else positional) + [one for one in named if one not in known]

    def has_attribute(self, name: str) -> bool:
        """``modules.shared.model``: assigned in its module, or from outside as ``shared.model``."""
        module, _, last = name.rpartition(".")
        tree = self._tree(self._file_of(module))
        inside = tree is not None and any(_assigns(node, last) for node in tree.body)
        home = module.rpartition(".")[2]
        return inside or (home, last) in self._assigned_from_outside

    def has_flag(self, name: str) -> bool:
        """``ctx_size``: an attribute of ``shared.args``."""
        return name in self._flags

    def has_setting(self, name: str) -> bool:
        """A key of ``shared.settings`` as the webui starts."""
        return name in self._keys_of("modules/shared.py", "settings")

    def has_state_key(self, name: str) -> bool:
        """A field of the page that the webui gathers into ``state``."""
        tree = self._tree("modules/ui.py")
        lists = ("list_interface_input_elements", "list_model_elements")
        functions = [node for node in (tree.body if tree else []) if isinstance(node, Function)]
        return any(name in set(_strings(function)) for function in functions if function.name in lists)

    def has_component(self, name: str) -> bool:
        """A key of ``shared.gradio``."""
        return name in self._components

    def has_loader(self, name: str) -> bool:
        """A loader of the Model tab."""
        return name in self._keys_of("modules/loaders.py", "loaders_and_params")

    def has_import(self, name: str) -> bool:
        """A package that the webui's loaders import; one file chooses among llama.cpp's by their names."""
        return name in self._imported or name in self._words("modules/llama_cpp_python_hijack.py")

    def has_path(self, name: str) -> bool:
        """A file or folder of the checkout."""
        return (self._folder / name).exists()

    def has_word(self, name: str, places: list[str]) -> bool:
        """A string, an attribute or a name in one of the files ``places``."""
        return any(name in self._words(place) for place in places)

    def has_object_attribute(self, name: str, places: list[str]) -> bool:
        """``self.name = …`` in one of the files ``places``."""
        targets = [target for place in places for target in _targets(self._tree(place))]
        return any(isinstance(target, ast.Attribute) and target.attr == name for target in targets)

    # -- reading -----------------------------------------------------------------------------------------------------

    def _file_of(self, module: str) -> str | None:
        path = "server" if module == "__main__" else module.replace(".", "/")
        return next((one for one in (f"{path}.py", f"{path}/__init__.py") if (self._folder / one).is_file()), None)

    def _tree(self, path: str | None) -> ast.Module | None:
        if path is None or not (self._folder / path).is_file():
            return None
        if path not in self._trees:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the webui's own escape sequences
                self._trees[path] = ast.parse((self._folder / path).read_text(encoding="utf-8"))
        return self._trees[path]

    @cached_property
    def _modules(self) -> list[ast.Module]:
        paths = [*sorted((self._folder / "modules").glob("*.py")), self._folder / "server.py"]
        trees = [self._tree(path.relative_to(self._folder).as_posix()) for path in paths]
        return [tree for tree in trees if tree is not None]

    def _words(self, path: str) -> frozenset[str]:
        tree = self._tree(path)
        if tree is None:
            return frozenset()
        if path not in self._words_of:
            named = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Name | ast.alias)]
            words = {getattr(node, "attr", None) or getattr(node, "id", None) or node.name for node in named}  # type: ignore[union-attr]
            self._words_of[path] = frozenset({*words, *_strings(tree)})
        return self._words_of[path]

    def _definition(self, name: str) -> Function | ast.ClassDef | None:
        module, _, last = name.rpartition(".")
        tree = self._tree(self._file_of(module))
        found = [node for node in (tree.body if tree else []) if isinstance(node, Function | ast.ClassDef)]
        return next((node for node in found if node.name == last), None)

    def _constructor(self, defined: ast.ClassDef, name: str) -> Function | None:
        found = [node for node in defined.body if isinstance(node, Function) and node.name == "__init__"]
        return found[0] if found else None

    def _keys_of(self, path: str, variable: str) -> set[str]:
        tree = self._tree(path)
        values = [node.value for node in (tree.body if tree else []) if _assigns(node, variable)]  # type: ignore[attr-defined]
        dicts = [node for value in values for node in ast.walk(value) if isinstance(node, ast.Dict)][:1]
        return {str(key.value) for one in dicts for key in one.keys if isinstance(key, ast.Constant)}

    @cached_property
    def _flags(self) -> set[str]:
        """What argparse makes of each ``add_argument``: its first long option."""
        flags: set[str] = set()
        tree = self._tree("modules/shared.py")
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
                options = [str(one.value) for one in node.args if isinstance(one, ast.Constant)]
                long = [option for option in options if option.startswith("--")]
                flags.update(option[2:].replace("-", "_") for option in long[:1])
        return flags

    @cached_property
    def _imported(self) -> set[str]:
        nodes = [node for tree in self._modules for node in ast.walk(tree)]
        imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        return {module.partition(".")[0] for module in imported}

    @cached_property
    def _components(self) -> set[str]:
        return {
            str(target.slice.value)
            for target in self._assigned
            if isinstance(target, ast.Subscript)
            and isinstance(target.slice, ast.Constant)
            and getattr(target.value, "attr", "") == "gradio"
        }

    @cached_property
    def _assigned_from_outside(self) -> set[tuple[str, str]]:
        named = [target for target in self._assigned if isinstance(target, ast.Attribute)]
        return {(target.value.id, target.attr) for target in named if isinstance(target.value, ast.Name)}

    @cached_property
    def _assigned(self) -> list[ast.expr]:
        return [target for tree in self._modules for target in _targets(tree)]


def _assigns(node: ast.stmt, name: str) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else []
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def _targets(tree: ast.Module | None) -> Iterator[ast.expr]:
    """Every place that a statement assigns to, ``with … as place`` included."""
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Assign):
            yield from node.targets
        elif isinstance(node, ast.With):
            yield from (item.optional_vars for item in node.items if item.optional_vars is not None)


def _strings(tree: ast.AST) -> Iterator[str]:
    yield from (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
