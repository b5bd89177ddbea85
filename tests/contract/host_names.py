"""The list of every name of the webui that this extension touches: ``host_names.yaml``, and what a checkout lacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from extensions.airoboros_longctx.host.webui.seams import SEAMS
from tests.contract.webui_source import WebuiSource

EVERY_RELEASE = "v1.3.1 -"
FILE = Path(__file__).with_name("host_names.yaml")


@dataclass(frozen=True)
class HostName:
    """One name. ``what`` it is, in words, and ``kind``, how it is looked for (``WebuiSource.has_<kind>``).

    ``seen`` are the first and last release that have it; ``lost`` is what we cannot do without it, ``elsewhere`` what
    stands in for it in other releases. ``takes`` are a function's arguments in their order, ``named`` those by name.
    """

    name: str
    what: str
    kind: str
    seen: str
    lost: str
    used_in: tuple[str, ...]
    elsewhere: str = ""
    takes: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    @property
    def words(self) -> set[str]:
        """The name, as our sources may write it, and its arguments."""
        written = {
            "function": self.name.rpartition(".")[2],
            "attribute": self.name.rpartition(".")[2],
            "flag": f"modules.shared.args.{self.name}",
            "path": self.name.removesuffix(".py"),
            "word": self.name.removeprefix("repositories/"),
        }
        return {self.name, written.get(self.kind, self.name), *self.takes, *self.named}


@dataclass(frozen=True)
class HostNames:
    """``releases`` are all of them, the oldest first. ``ours`` are the other words in our sources, ``of_the_engines``
    those of the packages that loaders load with, in ``host/webui/loader_settings`` only."""

    releases: tuple[str, ...]
    names: tuple[HostName, ...]
    ours: frozenset[str]
    of_the_engines: frozenset[str]

    def is_in(self, seen: str, release: str) -> bool:
        """Whether ``release`` lies in ``seen``: "v1.6 - v3.0", or "v1.6 -". One that is not listed is the newest."""
        first, _, last = (part.strip() for part in seen.partition(" -"))
        place = self.releases.index(release) if release in self.releases else len(self.releases)
        end = self.releases.index(last) if last else len(self.releases)
        return self.releases.index(first) <= place <= end

    def differences(self, source: WebuiSource, release: str) -> list[str]:
        """What ``source``, the checkout of ``release``, lacks of its names, and has of the others."""
        return [sentence for name in self.names for sentence in self._difference(name, source, release)]

    def _difference(self, name: HostName, source: WebuiSource, release: str) -> Iterator[str]:
        there, expected = _is_there(name, source), self.is_in(name.seen, release)
        if there and not expected:
            yield f"{release} has the {name.what} {name.name}, which {FILE.name} says is in {name.seen} only."
        elif expected and not there:
            elsewhere = f" In other releases: {name.elsewhere}." if name.elsewhere else ""
            yield f"{release} lacks the {name.what} {name.name}, needed to {name.lost}.{elsewhere}"
        elif there and name.kind == "function":
            for argument in source.lacks(name.name, list(name.takes), list(name.named)):
                yield f"{release}: the {name.what} {name.name} does not take {argument}, needed to {name.lost}."


def _is_there(name: HostName, source: WebuiSource) -> bool:
    places = ([*name.places],) if name.places else ()
    return bool(getattr(source, f"has_{name.kind}")(name.name, *places))


@cache
def read_host_names() -> HostNames:
    listed = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    names = [name for group in listed["groups"] for name in _names_of(group)]
    return HostNames(
        tuple(listed["releases"]), tuple(names), frozenset(listed["ours"]), frozenset(listed["of_the_engines"])
    )


def _names_of(group: dict[str, Any]) -> Iterator[HostName]:
    duties = {f"{seam.module}.{seam.name}": seam.duty for seam in SEAMS}
    for name, own in group["names"].items():
        row = {**group, **(own or {})}
        yield HostName(
            name=name,
            what=row["what"],
            kind=row["kind"],
            seen=row.get("seen", EVERY_RELEASE),
            lost=row.get("lost") or duties[name],
            used_in=tuple(row["used_in"]),
            elsewhere=row.get("elsewhere", "") if "seen" in row else "",
            takes=tuple(row.get("takes", ())),
            named=tuple(row.get("named", ())),
            places=tuple(row.get("places", ())),
        )
