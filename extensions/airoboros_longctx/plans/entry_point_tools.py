"""Tools of other packages: Python entry points of the group ``airoboros_longctx.tools``.

An entry point leads to a callable ``(input: str) -> str`` with the attributes ``name`` and ``description``, both text:
a function that was given them, or an object with ``__call__``. A broken one is a sentence, and the others are there.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, cast

from ..core.errors import AiroborosLongctxError
from ..core.foreign_text import quoted
from ..core.formats.rewoo_plan import require_tools
from .runnable_tool import RunnableTool, plain_tool

GROUP = "airoboros_longctx.tools"


class EntryPointTool(Protocol):
    """What an entry point leads to."""

    name: str
    description: str

    def __call__(self, text: str, /) -> str: ...


def entry_point_tools(
    taken: Iterable[str] = (), found: Iterable[EntryPoint] | None = None
) -> tuple[tuple[RunnableTool, ...], tuple[str, ...]]:
    """The tools that are installed, in the order of their entry points' names, and a sentence for each that is broken.

    ``taken`` are names that others have already; ``found`` is given in tests.
    """
    tools: list[RunnableTool] = []
    problems: list[str] = []
    names = {name.casefold() for name in taken}
    try:
        points = sorted(entry_points(group=GROUP) if found is None else found, key=lambda one: one.name)
    except Exception as error:  # what is installed is not ours to trust
        return (), (f"The installed tools could not be listed: {type(error).__name__}: {quoted(error)}",)
    for point in points:
        try:
            tool = _tool(point)
            if tool.name.casefold() in names:
                raise AiroborosLongctxError(f"another tool is called {tool.name} already.")
        except AiroborosLongctxError as error:
            problems.append(f"The tool {quoted(point.name, 60)!r} was left out: {error}")
        except BaseException as error:  # importing it ran its code
            if isinstance(error, KeyboardInterrupt):
                raise
            problems.append(
                f"The tool {quoted(point.name, 60)!r} was left out: {type(error).__name__}: {quoted(error, 200)}"
            )
        else:
            names.add(tool.name.casefold())
            tools.append(tool)
    return tuple(tools), tuple(problems)


def _tool(point: EntryPoint) -> RunnableTool:
    loaded = point.load()
    for attribute in ("name", "description"):
        if not isinstance(getattr(loaded, attribute, None), str):
            raise AiroborosLongctxError(f"it has no {attribute}; a text is needed there.")
    if not callable(loaded) or isinstance(loaded, type):
        raise AiroborosLongctxError("it cannot be called; a function of one text, or an object like one, is needed.")
    given = cast(EntryPointTool, loaded)
    tool = plain_tool(str(given.name), " ".join(given.description.split()), given)
    require_tools((tool.declared,))
    return tool
