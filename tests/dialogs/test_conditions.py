from __future__ import annotations

import pytest

from dialogs.conditions import ConditionWrong, compile_condition

SLOTS = {
    "amount": ("float", None),
    "name": ("text", None),
    "word": ("text", "false"),
    "flag": ("bool", None),
    "tags": ("list", None),
    "a-b": ("text", "dash"),
    "size": ("categorical", None),
}
VALUES = {"amount": 20.0, "name": "Asha", "flag": True, "tags": ["x", "y"], "size": "L"}


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("slots.amount > 10", True),
        ("slots.amount >= 20 and slots.amount <= 20", True),
        ("slots.amount = 20", True),
        ("slots.amount == 20.0", True),
        ("slots.amount != 20", False),
        ("slots.name is 'Asha'", True),
        ('slots.name IS NOT "Asha"', False),
        ("NOT slots.name = 'Asha' OR slots.flag", True),
        ("not (slots.flag or slots.flag)", False),
        ("slots.flag = true", True),
        ("slots.flag", True),
        ("slots.word", True),  # a text is true, whatever it says
        ("slots.size is null", False),
        ("slots.size is not null", True),
        ("slots.missing is null", False),
        ("slots.missing is not null", True),
        ("slots.missing is undefined", True),
        ("slots.missing is not undefined", False),
        ("slots.missing = 'x'", False),
        ("slots.missing != 'x'", False),
        ("slots.missing > 1", False),
        ("not slots.missing", True),
        ("slots.name > 1", False),  # another type orders with nothing
        ("slots.name < 'B'", True),
        ("'12' = 12", False),
        ("true = 1", True),
        ("slots.a-b = 'dash'", True),
        ("slots.tags contains 'x'", True),
        ("slots.tags contains 'z'", False),
        ("slots.name contains 'sh'", True),
        ("slots.name contains 'SH'", False),
        ("{'L' 'M'} contains slots.size", True),
        ("{'S', 'M'} contains slots.size", False),
        (r"slots.name matches '^[A-Z]\w+$'", True),
        (r"slots.name matches 'sh'", True),  # it searches
        (r"slots.amount matches '20'", False),
        ("context.count >= 3", True),
        ("context.nothing", False),
        ("slots.tags is empty", False),
        ("slots.name is empty", False),
    ],
)
def test_a_condition_is(source: str, *, wanted: bool) -> None:
    assert compile_condition(source, SLOTS).test(VALUES, {"count": 3}) is wanted


@pytest.mark.parametrize(
    "source", ["slots.amount > 1", "slots.amount < 1", "slots.amount = 1", "slots.name contains 'a'", "slots.name matches 'a'"]
)
def test_null_compares_with_nothing(source: str) -> None:
    assert compile_condition(source, SLOTS).test({}, {}) is False


def test_a_number_in_text_compares_as_a_number_where_the_slot_is_one() -> None:
    condition = compile_condition("slots.amount > 9", SLOTS)
    assert condition.test({"amount": "10"}, {}) is True
    assert condition.test({"amount": "ten"}, {}) is False


def test_long_input_is_not_searched() -> None:
    condition = compile_condition("slots.name matches 'a'", SLOTS)
    assert condition.test({"name": "a" * 512}, {}) is True
    assert condition.test({"name": "a" * 513}, {}) is False


@pytest.mark.parametrize(
    "source",
    [
        "",
        "slots.a >",
        "> 1",
        "(slots.a",
        "slots.a)",
        "slots.a not contains 'x'",
        "slots.a matches x",
        "slots.a matches '('",
        "a b",
        "'open",
        "{x}",
        "((" * 40,
    ],
)
def test_what_is_no_condition_is_refused(source: str) -> None:
    with pytest.raises(ConditionWrong):
        compile_condition(source, SLOTS)


def test_the_names_are_known() -> None:
    assert compile_condition("slots.a = 1 or context.b and slots.a", SLOTS).names == ("slots.a", "context.b")
