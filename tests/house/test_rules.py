"""Rules about the source that no tool checks: purity, docstrings, no waiting in tests, nothing skipped, no silence over errors."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tests.house.sources import PACKAGES, ROOT, modules, name, tree

# Where time, randomness, threads and the event loop may enter the pure packages.
PURE_EXCEPT = {
    "core/clock.py": {"time"},
    "core/store/waiters.py": {"asyncio"},
}
IMPURE = {"asyncio", "random", "secrets", "time", "uuid", "socket", "http", "urllib.request", "subprocess"}
WAITING_CALLS = {"time.sleep", "asyncio.sleep", "trio.sleep", "sleep"}
TEXT_SUFFIXES = {".py", ".md", ".toml", ".yml", ".yaml", ".html", ".js", ".css", ".sql", ".cfg", ".lock", ".txt", ""}

Finder = Callable[[ast.Module], Iterator[str]]


def imported(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


def impure(module: ast.Module) -> Iterator[str]:
    for what in imported(module):
        if what in IMPURE or what.split(".")[0] in IMPURE:
            yield what


def coroutines(module: ast.Module) -> Iterator[str]:
    yield from (node.name for node in ast.walk(module) if isinstance(node, ast.AsyncFunctionDef))


def clock_calls(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("datetime.now", "datetime.utcnow", "date.today", "os.urandom")):
            yield ast.unparse(node)


def waits(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in WAITING_CALLS:
            zero = node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
            if not zero:
                yield ast.unparse(node)


def skips(module: ast.Module) -> Iterator[str]:
    pattern = re.compile(r"pytest\.(mark\.)?(skip|skipif|xfail|importorskip)\b|unittest\.(mock|skip)")
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and pattern.match(ast.unparse(node)):
            yield ast.unparse(node)
    yield from (what for what in imported(module) if what == "unittest.mock")


def silenced(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.ExceptHandler) and all(isinstance(line, ast.Pass | ast.Continue) for line in node.body):
            caught = ast.unparse(node.type) if node.type else "everything"
            if caught in {"everything", "Exception", "BaseException"}:
                yield f"line {node.lineno}: {caught}"


def unfinished(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Raise) and node.exc and "NotImplemented" in ast.unparse(node.exc):
            yield f"line {node.lineno}"


def found(finder: Finder, *folders: str) -> list[str]:
    return [f"{name(path)}: {what}" for path in modules(*folders) for what in finder(tree(path))]


def test_core_and_dialogs_have_no_clock_and_no_randomness() -> None:
    wrong = [
        f"{name(path)}: {what}"
        for path in modules("core", "dialogs")
        for what in impure(tree(path))
        if what not in PURE_EXCEPT.get(name(path), set()) and not name(path).startswith("dialogs/actions/")
    ]
    wrong += [line for line in found(clock_calls, "core", "dialogs") if not line.startswith("core/clock.py")]
    assert wrong == []


def test_core_and_dialogs_are_synchronous() -> None:
    bridges = ("dialogs/actions/", "dialogs/library/", "core/model/adapter.py")  # actions wait for others; adapters are at the edge
    assert [line for line in found(coroutines, "core", "dialogs") if not line.startswith(bridges)] == []


def test_no_test_waits() -> None:
    assert found(waits, "tests") == []


def test_no_test_is_skipped_or_mocked() -> None:
    assert [line for line in found(skips, "tests") if not line.startswith("tests/conftest.py")] == []


def test_no_error_is_swallowed() -> None:
    assert found(silenced, *PACKAGES) == []


def test_nothing_is_left_unfinished() -> None:
    assert found(unfinished, *PACKAGES) == []
    mark = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    assert [name(path) for path in modules(*PACKAGES, "tests") if mark.search(path.read_text())] == []


def test_every_module_says_why_it_exists() -> None:
    assert [name(path) for path in modules(*PACKAGES) if not ast.get_docstring(tree(path))] == []


def test_the_packages_are_ours() -> None:
    places = {package: Path(next(iter(import_module(package).__path__))).resolve() for package in (*PACKAGES, "tests")}
    assert places == {package: ROOT / package for package in (*PACKAGES, "tests")}


def test_no_text_names_this_machine() -> None:
    pattern = re.compile(r"(^|[\s\"'=(])/(home/\w+|root)/|https?://[\w.-]+/simple\b|https?://files\.")
    wrong = [
        f"{name(path)}:{number}"
        for path in repository_texts()
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
        if pattern.search(line)
    ]
    assert wrong == []


def repository_texts() -> Iterator[Path]:
    hidden = {
        ".git",
        ".venv",
        ".parley",
        "__pycache__",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".import_linter_cache",
        ".hypothesis",
    }
    for folder in ROOT.iterdir():
        if folder.name in hidden:
            continue
        paths = folder.rglob("*") if folder.is_dir() else [folder]
        yield from (path for path in paths if path.is_file() and path.suffix in TEXT_SUFFIXES and not hidden & set(path.parts))


@pytest.mark.parametrize(
    ("finder", "source"),
    [
        (impure, "import random"),
        (impure, "from time import time"),
        (impure, "def f():\n    import uuid"),
        (coroutines, "async def f(): ..."),
        (clock_calls, "x = datetime.datetime.now()"),
        (waits, "import time\ntime.sleep(1)"),
        (waits, "await asyncio.sleep(0.1)"),
        (waits, "from time import sleep\nsleep(delay)"),
        (skips, "@pytest.mark.skip\ndef test_x(): ..."),
        (skips, "pytest.importorskip('x')"),
        (skips, "from unittest.mock import Mock"),
        (silenced, "try:\n    f()\nexcept Exception:\n    pass"),
        (silenced, "try:\n    f()\nexcept:\n    pass"),
        (unfinished, "raise NotImplementedError"),
    ],
)
def test_each_rule_has_teeth(finder: Finder, source: str) -> None:
    assert list(finder(ast.parse(source))) != []


def test_giving_way_to_the_loop_is_no_waiting() -> None:
    assert list(waits(ast.parse("async def f():\n    await asyncio.sleep(0)"))) == []
