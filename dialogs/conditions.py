"""Conditions of flows, compiled once into closures: `slots.amount > 10 and not context.late`.

A condition never raises at run time: ordering a null or two different types is false, and so is a comparison with a name that was
never declared. It must not be given anything a customer wrote as source.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Test = Callable[[Mapping[str, Any], Mapping[str, Any]], bool]
_Value = Callable[[Mapping[str, Any], Mapping[str, Any]], Any]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
      | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<op><=|>=|!=|==|[<>=(){},])
      | (?P<word>[A-Za-z_][\w.-]*)
    )""",
    re.VERBOSE,
)
_WORDS = {"not", "and", "or", "is", "contains", "matches", "true", "false", "null", "undefined", "empty"}
_MATCH_INPUT_MAX = 512
_PATTERN_MAX = 200
_DEPTH_MAX = 30
_ORDER: dict[str, Callable[[Any, Any], bool]] = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


class _Undefined:
    """The value of a name that was never declared."""


_UNDEFINED = _Undefined()
_EMPTY = object()


class ConditionWrong(ValueError):
    """A condition that cannot be compiled; the text says where."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition: `test(slots, context)`; `source` and the names it uses are for the linter."""

    test: Test
    source: str
    names: tuple[str, ...]


def compile_condition(source: str, slots: Mapping[str, tuple[str, Any]]) -> Condition:
    """Compile `source`; `slots` gives type and initial value of each declared slot. Raises `ConditionWrong`."""
    parser = _Parser(source, slots)
    test = parser.whole()
    return Condition(test, source, tuple(dict.fromkeys(parser.names)))


class _Parser:
    def __init__(self, source: str, slots: Mapping[str, tuple[str, Any]]) -> None:
        self.slots = slots
        self.names: list[str] = []
        self.tokens: list[tuple[str, str]] = []
        self.place = 0
        self.depth = 0
        at = 0
        source = source.rstrip()
        while at < len(source):
            match = _TOKEN.match(source, at)
            if match is None:
                raise ConditionWrong(f"cannot read '{source[at : at + 20]}'")
            at = match.end()
            kind = str(match.lastgroup)
            text = match.group(kind)
            lowered = text.lower()
            self.tokens.append(("word", lowered) if kind == "word" and lowered in _WORDS else ("name" if kind == "word" else kind, text))
        self.tokens.append(("end", ""))

    def take(self, kind: str, *texts: str) -> str | None:
        found, text = self.tokens[self.place]
        if found == kind and (not texts or text in texts):
            self.place += 1
            return text
        return None

    def whole(self) -> Test:
        test = self.either()
        if self.tokens[self.place][0] != "end":
            raise ConditionWrong(f"'{self.tokens[self.place][1]}' is not expected there")
        return test

    def either(self) -> Test:
        self.depth += 1
        if self.depth > _DEPTH_MAX:
            raise ConditionWrong("nested too deeply")
        tests = [self.both()]
        while self.take("word", "or"):
            tests.append(self.both())
        self.depth -= 1
        if len(tests) == 1:
            return tests[0]
        return lambda slots, context: any(test(slots, context) for test in tests)

    def both(self) -> Test:
        tests = [self.negated()]
        while self.take("word", "and"):
            tests.append(self.negated())
        if len(tests) == 1:
            return tests[0]
        return lambda slots, context: all(test(slots, context) for test in tests)

    def negated(self) -> Test:
        if self.take("word", "not"):
            test = self.negated()
            return lambda slots, context: not test(slots, context)
        return self.comparison()

    def comparison(self) -> Test:
        if self.take("op", "("):
            test = self.either()
            if not self.take("op", ")"):
                raise ConditionWrong("a ')' is missing")
            return test
        left = self.operand()
        name = self.take("op", "=", "==", "!=", "<", "<=", ">", ">=") or self.take("word", "is", "contains", "matches")
        if name is None:
            return _truth(left)
        if name == "is":
            name = "!=" if self.take("word", "not") else "="
        if name == "matches":
            return _matches(left, self.take("text"))
        right = self.operand()
        if name == "contains":
            return _contains(left, right)
        return _equal(left, right, name) if name in {"=", "==", "!="} else _ordered(left, right, _ORDER[name])

    def operand(self) -> _Value:
        constants = {"true": True, "false": False, "null": None, "undefined": _UNDEFINED, "empty": _EMPTY}
        if (text := self.take("number")) is not None:
            return _constant(float(text) if "." in text else int(text))
        if (text := self.take("text")) is not None:
            return _constant(_unquote(text))
        if (text := self.take("word", *constants)) is not None:
            return _constant(constants[text])
        if (text := self.take("name")) is not None:
            return self.named(text)
        if self.take("op", "{"):
            items = []
            while not self.take("op", "}"):
                item = self.take("text") or self.take("number")
                if item is None:
                    raise ConditionWrong("a set holds texts and numbers, and ends with '}'")
                items.append(_unquote(item) if item[0] in "\"'" else float(item))
                self.take("op", ",")
            return _constant(frozenset(items))
        raise ConditionWrong(f"'{self.tokens[self.place][1] or 'the end'}' is not expected there")

    def named(self, name: str) -> _Value:
        self.names.append(name)
        space, _, key = name.partition(".")
        if space == "context" and key:
            return lambda _slots, context: context.get(key, _UNDEFINED)
        if space != "slots" or key not in self.slots:
            return _constant(_UNDEFINED)
        kind, initial = self.slots[key]
        if kind == "float":
            return lambda slots, _context: _number(slots.get(key, initial))
        return lambda slots, _context: slots.get(key, initial)


def _unquote(text: str) -> str:
    return re.sub(r"\\([\"'\\])", r"\1", text[1:-1])


def _constant(value: Any) -> _Value:
    return lambda _slots, _context: value


def _number(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _truth(value: _Value) -> Test:
    def test(slots: Mapping[str, Any], context: Mapping[str, Any]) -> bool:
        found = value(slots, context)
        return found is not _UNDEFINED and found is not _EMPTY and bool(found)

    return test


def _equal(left: _Value, right: _Value, name: str) -> Test:
    wanted = name != "!="

    def test(slots: Mapping[str, Any], context: Mapping[str, Any]) -> bool:
        one, other = left(slots, context), right(slots, context)
        if other is _UNDEFINED:
            return (one is _UNDEFINED) is wanted
        if one is _UNDEFINED:
            return other is None and not wanted
        if other is _EMPTY:
            return (one is not None and hasattr(one, "__len__") and len(one) == 0) is wanted
        return bool(one == other) is wanted

    return test


def _ordered(left: _Value, right: _Value, compare: Callable[[Any, Any], bool]) -> Test:
    def test(slots: Mapping[str, Any], context: Mapping[str, Any]) -> bool:
        one, other = left(slots, context), right(slots, context)
        if isinstance(one, str) and isinstance(other, str):
            return compare(one, other)
        return isinstance(one, int | float) and isinstance(other, int | float) and compare(one, other)

    return test


def _contains(left: _Value, right: _Value) -> Test:
    def test(slots: Mapping[str, Any], context: Mapping[str, Any]) -> bool:
        whole, part = left(slots, context), right(slots, context)
        if isinstance(whole, str):
            return isinstance(part, str) and part in whole
        return isinstance(whole, list | frozenset) and part in whole

    return test


def _matches(value: _Value, pattern: str | None) -> Test:
    if pattern is None:
        raise ConditionWrong("'matches' needs a pattern in quotes")
    source = pattern[1:-1]
    if len(source) > _PATTERN_MAX:
        raise ConditionWrong(f"a pattern has at most {_PATTERN_MAX} characters")
    try:
        search = re.compile(source).search
    except re.error as error:
        raise ConditionWrong(f"the pattern cannot be read: {error}") from error

    def test(slots: Mapping[str, Any], context: Mapping[str, Any]) -> bool:
        found = value(slots, context)
        return isinstance(found, str) and len(found) <= _MATCH_INPUT_MAX and search(found) is not None

    return test
