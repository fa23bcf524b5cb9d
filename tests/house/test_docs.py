"""The documentation says what the program does: generated pages are current, and every name that people meet appears."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from channels.registry import KINDS
from config.environment import variables
from gateway.cli import COMMANDS
from tests.house.reference import commands_page, settings_page
from tests.house.sources import PACKAGES, ROOT, modules, tree

DOCS = ROOT / "docs"
GENERATED: dict[str, Callable[[], str]] = {"settings.md": settings_page, "commands.md": commands_page}
REQUEST_ANSWERS = {"AuthenticationFailed", "UnreadableRequest", "NotAForm", "Ignored"}
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def text_of(*names: str) -> str:
    return "\n".join((DOCS / name).read_text(encoding="utf-8") for name in names)


@pytest.mark.parametrize("name", GENERATED)
def test_generated_pages_are_current(name: str, pytestconfig: pytest.Config) -> None:
    made = GENERATED[name]()
    if pytestconfig.getoption("--update"):
        (DOCS / name).write_text(made, encoding="utf-8")
    assert (DOCS / name).read_text(encoding="utf-8") == made, "run: ./parley test tests/house/test_docs.py --update"


def test_every_command_and_every_kind_is_described() -> None:
    commands = text_of("commands.md")
    assert [name for name in COMMANDS if f"## parley {name}\n" not in commands] == []
    assert [kind for kind in KINDS if f"`{kind}`" not in text_of("channels.md")] == []


def counted() -> Iterator[str]:
    """Yield the name of every metric that the program counts."""
    for path in modules("gateway"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add":
                target = ast.unparse(node.func.value)
                if target.endswith("counters") and isinstance(node.args[0], ast.Constant):
                    yield f"parley_{node.args[0].value}_total"


def test_every_metric_is_described() -> None:
    names = set(counted())
    assert len(names) > 3
    operating = text_of("operating.md")
    assert sorted(name for name in names if f"`{name}`" not in operating) == []


def error_codes() -> Iterator[str]:
    """Yield every stable code with which the store refuses or is unavailable, and with which a send fails."""
    from core.model.outbound import SendErrorCode

    yield from SendErrorCode
    for path in modules("core/store"):
        for node in ast.walk(tree(path)):
            refusal = isinstance(node, ast.Call) and ast.unparse(node.func) in {"StoreRefused", "StoreUnavailable"} and node.args
            if refusal and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value


def test_every_error_code_is_described() -> None:
    codes = set(error_codes())
    assert {"in_use", "timeout"} <= codes
    operating = text_of("operating.md")
    assert sorted(code for code in codes if f"`{code}`" not in operating) == []


def request_codes() -> Iterator[str]:
    """Yield every code with which a request is not believed, cannot be read, or is ignored."""
    for path in modules("channels", "gateway"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in REQUEST_ANSWERS and node.args:
                code = node.args[0]
                if isinstance(code, ast.Constant):
                    yield code.value


def test_every_code_of_a_request_is_described() -> None:
    codes = set(request_codes())
    assert {"bad_signature", "bad_number", "session_ended"} <= codes
    channels = text_of("channels.md")
    assert sorted(code for code in codes if f"`{code}`" not in channels) == []


def test_every_table_is_described() -> None:
    sql = "\n".join(path.read_text() for path in sorted((ROOT / "core/store/migrations").glob("*.sql")))
    tables = re.findall(r"create table (\w+)", sql)
    assert len(tables) > 10
    model = text_of("data-model.md")
    assert [table for table in tables if f"`{table}`" not in model] == []


def test_every_dependency_has_a_reason() -> None:
    from tests.house.test_lock import PROJECT, named

    page = text_of("dependencies.md").lower().replace(".", "-")
    wanted = named(PROJECT["project"]["dependencies"]) | named(PROJECT["dependency-groups"]["dev"])
    assert sorted(name for name in wanted if f"`{name}`" not in page) == []


def pages() -> list[Path]:
    return [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]


def test_no_link_is_broken() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages()
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    records = sorted(path.name for path in (DOCS / "adr").glob("[0-9]*.md"))
    assert [int(name[:4]) for name in records] == list(range(1, len(records) + 1))
    index = (DOCS / "adr" / "README.md").read_text()
    assert [name for name in records if f"({name})" not in index] == []


def test_every_package_is_explained_to_developers() -> None:
    page = text_of("development.md")
    assert [package for package in PACKAGES if f"`{package}/`" not in page] == []


def test_every_setting_has_an_effect() -> None:
    read = {node.attr for path in modules("gateway") for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
    own = {node.attr for path in modules("config") for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
    inside = {"url", "public_url"}  # read by methods of the settings themselves
    assert inside <= own
    assert [".".join(path) for _, path, _, _ in variables() if path[-1] not in read | inside] == []
