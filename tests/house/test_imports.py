"""What the program imports is what it asks for: no package that is there only because another one brought it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions

from tests.house.sources import PACKAGES, modules, tree
from tests.house.test_lock import PROJECT, named

OURS = {*PACKAGES, "tests"}


def third_party(*folders: str) -> Iterator[str]:
    """Yield the name of every top-level module that is neither ours nor of the standard library."""
    for path in modules(*folders):
        for node in ast.walk(tree(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            yield from (name.split(".")[0] for name in names if name.split(".")[0] not in OURS | sys.stdlib_module_names)


def distributions(*folders: str) -> set[str]:
    known = packages_distributions()
    return {known[name][0].lower().replace(".", "-").replace("_", "-") for name in third_party(*folders)}


def test_the_program_asks_for_what_it_imports() -> None:
    assert distributions(*PACKAGES) - named(PROJECT["project"]["dependencies"]) == set()


def test_the_tests_ask_for_what_they_import() -> None:
    asked = named(PROJECT["project"]["dependencies"]) | named(PROJECT["dependency-groups"]["dev"])
    assert distributions("tests") - asked == set()
