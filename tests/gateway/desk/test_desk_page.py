"""The page for agents and integrators names every code and every route that there is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from gateway.web import make_app
from tests.gateway.desk.test_doors import routes_of
from tests.gateway.running import Running

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "desk.md").read_text(encoding="utf-8")
REFUSALS = {"Refused": 0, "AgentRefused": 0, "Problem": 1, "problem": 1}


def codes() -> Iterator[str]:
    for path in (*ROOT.glob("gateway/desk/*.py"), *ROOT.glob("core/routing/*.py"), ROOT / "core" / "agents.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                place = REFUSALS.get(ast.unparse(node.func).rpartition(".")[2])
                if place is not None and isinstance(node.args[place], ast.Constant):
                    yield node.args[place].value


def test_every_error_code_is_described() -> None:
    found = set(codes())
    assert {"outdated", "sign_in", "last_admin"} <= found
    assert sorted(code for code in found if f"`{code}`" not in PAGE) == []


ELSEWHERE = {
    "message.in",
    "message.out",
    "message.status",
    "note.added",
    "owner.changed",
}  # shown as bubbles, states, notes; the last as its cause


def kinds() -> Iterator[str]:
    for path in ROOT.glob("core/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            appends = isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "append" and len(node.args) > 2
            if appends and isinstance(node.args[2], ast.Constant):
                yield node.args[2].value


def test_every_kind_of_event_has_words_at_the_desk() -> None:
    words = (ROOT / "gateway" / "static" / "desk" / "words.js").read_text(encoding="utf-8")
    found = set(kinds())
    assert found > ELSEWHERE
    assert sorted(kind for kind in found - ELSEWHERE if f'"{kind}"' not in words) == []


async def test_every_route_is_described(parley: Running) -> None:
    routes = {path for _, path in routes_of(make_app(parley.gateway)) if "/api/" in path} - {"/desk/api/login"}
    assert sorted(path for path in routes if f"{path}`" not in PAGE and f"{path}?" not in PAGE) == []
