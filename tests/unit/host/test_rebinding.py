"""Replacing a function wherever it is bound, and the way back."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from extensions.airoboros_longctx.host.webui.rebinding import Rebinding, is_ours


@pytest.fixture
def home_and_importer(monkeypatch):
    """``modules.home.load`` and a module that took it by ``from … import``."""
    home, importer = ModuleType("modules.home"), ModuleType("server")

    def load(name, times=1):
        """The webui's own."""
        return name * times

    home.load = importer.load = load
    monkeypatch.setitem(sys.modules, "modules.home", home)
    monkeypatch.setitem(sys.modules, "server", importer)
    return home, importer


def shout(original, *args, **kwargs):
    return original(*args, **kwargs).upper()


def test_every_binding_is_replaced_and_put_back(home_and_importer):
    home, importer = home_and_importer
    original = home.load
    rebinding = Rebinding(home, "load", shout)
    assert rebinding.bindings == 2
    assert home.load is importer.load is rebinding.wrapper
    assert (home.load("ab", times=2), importer.load("x")) == ("ABAB", "X")
    assert (home.load.__name__, home.load.__doc__) == ("load", "The webui's own.")
    rebinding.revert()
    assert home.load is importer.load is original
    rebinding.revert()
    assert home.load is original


def test_a_wrapper_is_known_as_ours(home_and_importer):
    home, _ = home_and_importer
    assert not is_ours(home.load)
    rebinding = Rebinding(home, "load", shout)
    assert is_ours(home.load)
    rebinding.revert()
    assert not is_ours(home.load)


def test_a_later_wrapper_of_somebody_else_stays_and_ours_passes_through(home_and_importer):
    home, importer = home_and_importer
    rebinding = Rebinding(home, "load", shout)
    ours = home.load

    def theirs(name):
        return f"<{ours(name)}>"

    home.load = theirs
    assert home.load("a") == "<A>"
    rebinding.revert()
    assert home.load is theirs
    assert (home.load("a"), importer.load("a")) == ("<a>", "a")
    assert not is_ours(importer.load)


def test_errors_and_arguments_of_the_original_pass_through(home_and_importer):
    home, _ = home_and_importer
    rebinding = Rebinding(home, "load", shout)
    with pytest.raises(TypeError):
        home.load()
    rebinding.revert()
