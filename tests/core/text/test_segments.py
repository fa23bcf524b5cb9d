"""Counting, plain typography and cutting of short messages."""

from __future__ import annotations

import unicodedata

import pytest
import regex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.text.clusters import clusters
from core.text.segments import Encoding, Measure, is_gsm7, measure, septets, transliterate, units
from core.text.split import cut, gsm7_length, sms_parts, split, ucs2_length

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy

FAMILY = "👩‍👩‍👧‍👦"
PIECES = ["a", "balance ", "€", "[", "é", "\n", "\r\n", "e\u0301", "👍🏽", FAMILY, "🇰🇪", "각", "क्षि", "\u200d", "\ud83d\ude00", "ü", "م"]
texts = st.lists(st.sampled_from(PIECES), max_size=400).map("".join)


@pytest.mark.parametrize(
    ("text", "encoding", "length", "parts"),
    [
        ("", Encoding.GSM7, 0, 1),
        ("a" * 160, Encoding.GSM7, 160, 1),
        ("a" * 161, Encoding.GSM7, 161, 2),
        ("a" * 306, Encoding.GSM7, 306, 2),
        ("a" * 307, Encoding.GSM7, 307, 3),
        ("€" * 80, Encoding.GSM7, 160, 1),
        ("€" * 81, Encoding.GSM7, 162, 2),
        ("a" + "€" * 152, Encoding.GSM7, 305, 2),
        ("€" * 153, Encoding.GSM7, 306, 3),  # a pair does not fit into the last septet of a part
        ("ö" * 70 + "ñ" * 90, Encoding.GSM7, 160, 1),
        ("ç" * 70, Encoding.UCS2, 70, 1),
        ("ç" * 71, Encoding.UCS2, 71, 2),
        ("ç" * 134, Encoding.UCS2, 134, 2),
        ("ç" * 135, Encoding.UCS2, 135, 3),
        ("😀" * 35, Encoding.UCS2, 70, 1),
        ("😀" * 36, Encoding.UCS2, 72, 2),
        ("😀" * 67, Encoding.UCS2, 134, 3),
        ("\r\n" * 80, Encoding.GSM7, 160, 1),
        ("\r\n" * 77, Encoding.GSM7, 154, 1),
        ("\r\n" * 35, Encoding.GSM7, 70, 1),
        ("ж" + "\r\n" * 67, Encoding.UCS2, 135, 3),
        ("\ud83d" * 71, Encoding.UCS2, 71, 2),
    ],
)
def test_measure(text: str, encoding: Encoding, length: int, parts: int) -> None:
    assert measure(text) == Measure(encoding, length, parts)


BLACK_FLAG = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    ("character", "size"),
    [
        ("👍🏽", 4),
        ("🇰🇪", 4),
        (FAMILY, 11),
        ("👩🏽\u200d⚕️", 7),
        (BLACK_FLAG, 14),
        ("e\u0301", 2),
        ("ก็", 2),
        ("\u1100\u1161\u11a8", 3),
        ("\u0600م", 2),
        ("😀", 2),
    ],
)
def test_what_a_reader_sees_as_one_character_is_in_one_part(character: str, size: int) -> None:
    assert clusters(character) == [character]
    assert measure("ж" * (67 - size) + character + "ж" * 67) == Measure(Encoding.UCS2, 134, 2)
    assert measure("ж" * (68 - size) + character + "ж" * 66) == Measure(Encoding.UCS2, 134, 3 if size > 1 else 2)


@pytest.mark.parametrize("text", ["क\u094d|षि", "❤️\u200d|🔥", "🤌|🏿", "🇰🇪|🇰", "a|\u200b", "\ud83d|\u0301", "\r|\n", "🐕\u200d|🦺"])
def test_what_counts_as_two(text: str) -> None:
    assert clusters(text.replace("|", "")) == text.split("|")


def test_a_first_part_gives_up_what_its_header_takes() -> None:
    assert measure("ж" * 60 + FAMILY) == Measure(Encoding.UCS2, 71, 2)
    assert measure("ж" * 66 + "e\u0301" + "ж" * 3) == Measure(Encoding.UCS2, 71, 2)
    assert measure("e" + "\u0301" * 90) == Measure(Encoding.UCS2, 91, 2)  # one character that no part has room for


@CALM
@given(text=st.text(max_size=300))
def test_characters_joined_are_the_text(text: str) -> None:
    assert "".join(clusters(text)) == text


def test_the_alphabet_has_the_characters_of_the_standard() -> None:
    single = [chr(code) for code in range(0x10000) if septets(chr(code)) == 1]
    double = [chr(code) for code in range(0x10000) if septets(chr(code)) == 2]
    assert len(single) == 127  # 128 positions without the escape
    assert sorted(double) == sorted("\f^{}\\[~]|€")
    assert not is_gsm7("ç")
    assert is_gsm7("Ç@£à")
    assert septets("ẞ") is None


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("“Hello” – it’s…", '"Hello" - it\'s...'),
        ("12\u00a0000\u202fKES", "12 000 KES"),
        ("soft\u00adhyphen\u200b", "softhyphen"),
        ("déjà à 5€", "déjà à 5€"),
        ("garçon", "garçon"),
        ("naïve – مرحبا", "naïve - مرحبا"),
        ("a\tb\u2028c", "a b\nc"),
    ],
)
def test_typography_becomes_plain_and_letters_stay(text: str, plain: str) -> None:
    assert transliterate(text) == plain


@CALM
@given(text=st.text(max_size=100))
def test_plain_typography_never_drops_a_letter_and_is_stable(text: str) -> None:
    plain = transliterate(text)
    assert transliterate(plain) == plain
    for character in text:
        if unicodedata.category(character).startswith("L") and character not in "ʹʼʻ":
            assert character in plain
    if is_gsm7(text):
        assert plain == text


@CALM
@given(text=texts)
def test_parts_are_complete_fit_and_cut_no_character(text: str) -> None:
    parts, size = sms_parts(text), measure(text)
    assert "".join(parts) == text
    limit = {1: 160, 2: 153} if size.encoding is Encoding.GSM7 else {1: 70, 2: 67}
    assert all(units(part, size.encoding) <= limit[min(size.parts, 2)] for part in parts)
    assert len(parts) >= size.parts
    ends = {match.end() for match in regex.finditer(r"\X", text)} | {0}
    at = 0
    for part in parts:
        at += len(part)
        assert at in ends


@CALM
@given(text=texts, limit=st.integers(12, 60))
def test_splitting_and_cutting_by_any_length(text: str, limit: int) -> None:
    for length in (len, gsm7_length, ucs2_length):
        whole = split(text, limit, length)
        assert "".join(whole) == text
        assert all(length(piece) <= limit for piece in whole)
        beginning = cut(text, limit, length)
        assert text.startswith(beginning)
        assert length(beginning) <= limit


def test_words_stay_whole_where_a_space_is_near() -> None:
    assert split("one two three four", 11) == ["one two ", "three four"]
    assert split("a verylongwordthatfitsnowhere", 10) == ["a verylong", "wordthatfi", "tsnowhere"]
    assert split("", 10) == [""]


def test_a_character_above_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="one character"):
        split(FAMILY, 5)
    assert cut(FAMILY + "a", 5) == ""


def test_a_pile_of_marks_is_no_character_and_costs_little() -> None:
    hostile = "a" + "\u0301" * 100_000
    parts = sms_parts(hostile)
    assert "".join(parts) == hostile
    assert max(map(len, parts)) <= 67
