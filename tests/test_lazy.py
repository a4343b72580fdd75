"""Names that packages offer themselves: there, the right ones, and imported only when asked for."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pkgutil import iter_modules

import pytest

PACKAGES = ("ltrgr", "ltrgr.decoding", "ltrgr.retrieval", "ltrgr.losses", "ltrgr.evaluation")


@pytest.mark.parametrize("name", PACKAGES)
def test_every_name_that_a_package_offers_is_there(name: str) -> None:
    package = import_module(name)
    for offered in {*package.__all__} - {"__version__"}:
        found = getattr(package, offered)
        assert found.__name__ == offered
        assert found.__module__.startswith(f"{name}.")


@pytest.mark.parametrize("name", PACKAGES)
def test_no_submodule_can_take_the_place_of_a_name(name: str) -> None:
    package = import_module(name)
    assert {module.name for module in iter_modules(package.__path__)}.isdisjoint(package.__all__)


def test_a_name_that_is_not_there_is_named() -> None:
    with pytest.raises(ImportError, match=r"cannot import name 'nothing' from 'ltrgr\.evaluation'"):
        from ltrgr.evaluation import nothing  # type: ignore[attr-defined]  # noqa: F401


def test_importing_the_packages_does_not_import_torch() -> None:
    packages = ", ".join(PACKAGES)
    code = f"import sys, {packages}; print(sorted({{'torch', 'numpy'}} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
