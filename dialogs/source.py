"""YAML with positions: every value of a project file can say where it stands, so that every mistake can.

It knows nothing of flows, and it never stops at the first mistake: problems are collected and raised together.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_TAG = "tag:yaml.org,2002:"
_TRUE = {"true", "True", "TRUE"}


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in a project: file relative to the project, line from 1, and a sentence."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


class ProjectWrong(Exception):
    """A project cannot be used; `problems` has every mistake found, in the order of files and lines."""

    def __init__(self, problems: Collection[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Map(dict[str, Any]):
    """A mapping that knows its file, its line and the line of each key."""

    __slots__ = ("file", "key_lines", "line")

    def __init__(self, file: str = "", line: int = 0) -> None:
        super().__init__()
        self.file = file
        self.line = line
        self.key_lines: dict[str, int] = {}

    def at(self, key: str) -> int:
        """Return the line of `key`, or of the mapping where there is no such key."""
        return self.key_lines.get(key, self.line)


class Seq(list[Any]):
    """A list that knows its file, its line and the line of each item."""

    __slots__ = ("file", "item_lines", "line")

    def __init__(self, file: str = "", line: int = 0) -> None:
        super().__init__()
        self.file = file
        self.line = line
        self.item_lines: list[int] = []


class Problems:
    """The mistakes found so far."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, node: Map | Seq, text: str, key: str | None = None) -> None:
        """Note a mistake at `node`, or at its `key`."""
        line = node.at(key) if key is not None and isinstance(node, Map) else node.line
        self.found.append(Problem(node.file, line, text))

    def at(self, file: str, line: int, text: str) -> None:
        """Note a mistake at a line of a file."""
        self.found.append(Problem(file, line, text))

    def unknown(self, node: Map, allowed: Collection[str], what: str) -> None:
        """Note every key of `node` that is not `allowed`."""
        for key in node:
            if key not in allowed:
                near = get_close_matches(key, list(allowed), 1)
                hint = f"; did you mean '{near[0]}'?" if near else ""
                self.add(node, f"{what} has no key '{key}'{hint}", key)

    def mapping(self, node: Map, key: str, what: str) -> Map:
        """Return `node[key]` if it is a mapping; an empty one where it is missing, or wrong, which is noted."""
        value = node.get(key)
        if isinstance(value, Map):
            return value
        if value is not None:
            self.add(node, f"{what}: '{key}' must be a mapping", key)
        return Map(node.file, node.at(key))

    def sequence(self, node: Map, key: str, what: str) -> Seq:
        """Return `node[key]` if it is a list; an empty one where it is missing, or wrong, which is noted."""
        value = node.get(key)
        if isinstance(value, Seq):
            return value
        if value is not None:
            self.add(node, f"{what}: '{key}' must be a list", key)
        return Seq(node.file, node.at(key))

    def value(self, node: Map, key: str, kinds: tuple[type, ...], what: str, default: Any = None) -> Any:
        """Return `node[key]` if it is of one of `kinds` (a bool is no number); `default` where it is missing, or wrong, which is noted."""
        value = node.get(key, default)
        if value is default or (isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds)):
            return value
        names = " or ".join(_KIND_NAMES[kind] for kind in kinds)
        self.add(node, f"{what}: '{key}' must be {names}", key)
        return default

    def raise_if_any(self) -> None:
        """Raise `ProjectWrong` if anything was noted."""
        if self.found:
            raise ProjectWrong(self.found)


_KIND_NAMES: dict[type, str] = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def read_file(path: Path, name: str, problems: Problems) -> Map:
    """Return the mapping at the top of a YAML 1.2 file; an empty one with the mistake noted if there is none. `name` stands in problems."""
    try:
        node = composed(path.read_text("utf-8"))
        value = _convert(node, name, problems, ()) if node is not None else Map(name, 1)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problems.at(name, mark.line + 1 if mark else 1, f"not readable as YAML: {error.problem or error.context}")
    except (YAMLError, UnicodeDecodeError) as error:
        problems.at(name, 1, f"not readable as YAML: {type(error).__name__}")
    else:
        if isinstance(value, Map):
            return value
        problems.at(name, 1, "the file must be a mapping")
    return Map(name, 1)


def composed(text: str) -> Node | None:
    """Return the root of a YAML document with the position of every node, None for an empty one; raises `YAMLError`."""
    root: Node | None = YAML(typ="safe", pure=True).compose(text)
    return root


def _convert(node: Node, file: str, problems: Problems, above: tuple[Node, ...]) -> Any:
    line = node.start_mark.line + 1
    if node in above:
        problems.at(file, line, "an alias may not contain itself")
        return None
    if isinstance(node, ScalarNode):
        return _scalar(node, file, line, problems)
    inner = (*above, node)
    if isinstance(node, SequenceNode):
        items = Seq(file, line)
        for item in node.value:
            items.append(_convert(item, file, problems, inner))
            items.item_lines.append(item.start_mark.line + 1)
        return items
    found = Map(file, line)
    if isinstance(node, MappingNode):
        for key_node, value_node in node.value:
            key = str(key_node.value)
            key_line = key_node.start_mark.line + 1
            if key in found:
                problems.at(file, key_line, f"'{key}' stands here twice")
            found[key] = _convert(value_node, file, problems, inner)
            found.key_lines[key] = key_line
    return found


def _scalar(node: ScalarNode, file: str, line: int, problems: Problems) -> str | int | float | bool | None:
    text = str(node.value)
    try:
        if node.tag == f"{_TAG}bool":
            return text in _TRUE
        if node.tag == f"{_TAG}int":
            digits = text.replace("_", "")
            return int(digits, 0) if digits.lstrip("+-")[:2].lower() in {"0x", "0o"} else int(digits)
        if node.tag == f"{_TAG}float":
            return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        problems.at(file, line, f"'{text}' is no number")
    return None if node.tag == f"{_TAG}null" else text
