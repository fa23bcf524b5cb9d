from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.text.segments import septets
from dialogs.render import plain, screens
from tests.golden.player import CHANNELS

USSD = CHANNELS["ussd"]
LABELS = st.lists(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=50).map(str.strip).filter(bool), max_size=14
)
TEXTS = st.text(st.sampled_from("abc de\n€{}[]éêçש字"), max_size=400)


def paged(text: str, rows: list[str], *, footer: str = "0 Back 00 Menu", ends: bool = False) -> list[str]:
    return list(screens(text, tuple(rows), USSD.text_budget_chars, more="More", less="Back", footer=footer, ends=ends))


@given(TEXTS, LABELS)
def test_every_screen_keeps_to_the_budget(text: str, labels: list[str]) -> None:
    rows = [f"{place} {label}" for place, label in enumerate(labels, 1)]
    for page in paged(text, rows):
        size = septets(page)
        assert size <= 160 if size is not None else len(page.encode("utf-16-be")) <= 140


@given(TEXTS, LABELS)
def test_no_option_is_cut_or_lost(text: str, labels: list[str]) -> None:
    rows = [f"{place} {label}" for place, label in enumerate(labels, 1)]
    lines = [line for page in paged(text, rows) for line in page.split("\n")]
    places = [lines.index(row) for row in map(plain, rows)]
    assert places == sorted(places)


@given(TEXTS)
def test_no_letter_is_lost(text: str) -> None:
    shown = "".join(paged(text, [], footer="", ends=True)).replace("98 More", "").replace("99 Back", "")
    assert sorted("".join(shown.split())) == sorted("".join(plain(text).split()))


def test_extension_characters_count_twice() -> None:
    assert len(paged("€" * 80, [], footer="")) == 1
    assert len(paged("€" * 81, [], footer="")) == 2


def test_a_text_beyond_the_alphabet_takes_more_room() -> None:
    assert len(paged("ש" * 70, [], footer="")) == 1
    assert len(paged("ש" * 71, [], footer="")) > 1


def test_accents_that_no_phone_knows_are_dropped_and_the_others_kept() -> None:
    assert plain("Français, être, déjà, œuvre") == "Français, être, déjà, œuvre"  # œ has no plain form
    assert plain("Français, être, déjà") == "Francais, etre, déjà"
    assert septets(plain("“Être” — çà et là…")) is not None


def test_the_keys_stand_where_there_is_room() -> None:
    assert paged("Short?", ["1 Yes"]) == ["Short?\n1 Yes\n0 Back 00 Menu"]
    assert paged("x" * 150, []) == ["x" * 150]


def test_a_last_page_that_ends_the_session_offers_no_way_back() -> None:
    assert paged("word " * 50, [], footer="", ends=True)[-1].endswith("word")
    assert paged("word " * 50, [], footer="")[-1].endswith("99 Back")
