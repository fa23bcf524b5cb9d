"""Takes address fields apart as people and programs write them: names with commas, brackets and addresses in them, and no quotes.

One pass over the characters, without recursion. Must not decode or judge; see `fields.mailboxes`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_ENCODED = re.compile(r"=\?[^?\s]{1,80}\?[bBqQ]\?[^?]{0,1000}\?=")
_AROUND_AT = re.compile(r"\s{0,20}@\s{0,20}")


@dataclass(slots=True)
class _Item:
    """What stands between two commas."""

    shown: list[str] = field(default_factory=list)  # without the quotes
    raw: list[str] = field(default_factory=list)  # with them
    comment: list[str] = field(default_factory=list)
    angle: list[str] = field(default_factory=list)
    has_angle: bool = False
    has_at: bool = False  # in the angle, behind its first character
    trailing: bool = False  # behind the bracket of another, without a comma between

    def pair(self) -> tuple[str, str]:
        """Return name and address, of which either may be empty."""
        shown, comment = _line(self.shown), _line(self.comment)
        if self.has_angle:
            address = "".join(self.angle).strip()
            return shown or comment, address.rpartition(":")[2] if address.startswith("@") else address
        raw = _AROUND_AT.sub("@", _line(self.raw))
        if "@" not in raw or raw.startswith('"'):
            return (comment, raw) if "@" in raw else (shown or comment, "")
        before, _, address = raw.rpartition(" ")
        if "@" not in address:  # `jane@x.example Jane`
            address, _, before = raw.partition(" ")
        return before or comment, address


def _line(parts: list[str]) -> str:
    return " ".join("".join(parts).split())


def split(plain: str) -> list[tuple[str, str]]:
    """Return name and address of each mailbox in a field, as written there; the names of groups are left out."""
    if plain.count('"') % 2:  # a quote that nobody closes
        plain = plain.replace('"', "")
    if plain.count("(") != plain.count(")"):
        plain = plain.replace("(", " ").replace(")", " ")
    return _Reader(plain, plain.rfind(";")).read()


@dataclass(slots=True)
class _Reader:
    plain: str
    groups_end: int  # a colon behind it begins no group
    done: list[_Item] = field(default_factory=list)
    item: _Item = field(default_factory=_Item)
    quoted: bool = False
    depth: int = 0  # of comments

    def read(self) -> list[tuple[str, str]]:
        position = 0
        while position < len(self.plain):
            position = self._take(position)
        self._next()
        return [pair for item in self.done if any(pair := item.pair()) and (pair[1] or not item.trailing)]

    def _next(self, *, trailing: bool = False) -> None:
        self.done.append(self.item)
        self.item = _Item(trailing=trailing)

    def _take(self, position: int) -> int:
        """Take the character at a position, or the atom that begins there, and return the position behind it."""
        character = self.plain[position]
        if character == "\\" and (self.quoted or self.depth):
            self._literal(self.plain[position + 1 : position + 2])
            return position + 2
        if self.quoted or self.depth:
            self._inside(character)
        elif self.item.has_angle:
            self._in_angles(character)
        elif word := _ENCODED.match(self.plain, position):
            self.item.shown.append(word[0])
            self.item.raw.append(word[0])
            return word.end()
        else:
            self._outside(character, position)
        return position + 1

    def _literal(self, character: str) -> None:
        if self.depth:
            self.item.comment.append(character)
        else:
            self.item.shown.append(character)
            self.item.raw.append(f"\\{character}")

    def _inside(self, character: str) -> None:
        if self.depth:
            self.depth += {"(": 1, ")": -1}.get(character, 0)
            self.item.comment.append(character if self.depth else " ")
        else:
            self.quoted = character != '"'
            self.item.raw.append(character)
            self.item.shown.append(character if self.quoted else "")

    def _in_angles(self, character: str) -> None:
        if character == ">":
            self._next(trailing=True)
        elif character in ",;" and self.item.has_at:  # a bracket that nobody closes
            self._next()
        elif character != "<":
            self.item.has_at |= character == "@" and bool(self.item.angle)
            self.item.angle.append(character)

    def _begins_group(self, position: int) -> bool:
        """Tell whether a colon ends the name of a group; even one that looks like an address, if there are addresses in the group."""
        return position < self.groups_end and ("@" not in self.item.raw or "@" in self.plain[position : self.groups_end])

    def _outside(self, character: str, position: int) -> None:
        item = self.item
        if character in ",;":
            self._next()
        elif character == "<":
            item.has_angle = True
        elif character == "(":
            self.depth = 1
        elif character == ":" and (item.raw[:1] == ["@"] or self._begins_group(position)):
            self.item = _Item()
        elif character != ">":
            self.quoted = character == '"'
            item.raw.append(character)
            item.shown.append("" if self.quoted else character)
