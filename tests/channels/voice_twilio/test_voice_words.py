"""Amounts and dates, as a voice is to say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.voice_words import in_words


@pytest.mark.parametrize(
    ("language", "text", "spoken"),
    [
        ("en", "Your balance is KES 250.00.", "Your balance is 250 shillings."),
        ("en", "KES 1,250.50 and KES 1", "1250 shillings and 50 cents and 1 shilling"),
        ("en", "USD 0.05 or GBP 3.01", "5 cents or 3 pounds and 1 penny"),
        ("en", "KES 0.00", "0 shillings"),
        ("fr", "Votre solde est de KES 250.50.", "Votre solde est de 250 shillings et 50 centimes."),
        ("fr", "XOF 5000 le 01/02/2026", "5000 francs le 1er février 2026"),
        ("fr", "EUR 0", "0 euro"),
        ("sw", "Salio lako ni KES 1250.50.", "Salio lako ni shilingi 1250 na senti 50."),
        ("sw", "ilipwe kabla ya 31/01/2026", "ilipwe kabla ya 31 Januari 2026"),
        ("en", "Due on 31/01/2026, billed 2026-01-05.", "Due on 31 January 2026, billed 5 January 2026."),
        ("en", "Reference ABC123, on 31/02/2026, XYZ 5, KES 1.5, KES 1.234", "Reference ABC123, on 31/02/2026, XYZ 5, KES 1.5, KES 1.234"),
        ("de", "KES 250.00 am 31/01/2026", "KES 250.00 am 31/01/2026"),
        ("sw", "ZAR 5", "ZAR 5"),
    ],
)
def test_amounts_and_dates_are_said_in_words(language: str, text: str, spoken: str) -> None:
    assert in_words(text, language) == spoken


@given(st.text(), st.sampled_from(["en", "fr", "sw", "xx", ""]))
def test_any_text_can_be_said(text: str, language: str) -> None:
    assert isinstance(in_words(text, language), str)


@given(st.integers(0, 10**9), st.integers(0, 99), st.sampled_from(["en", "fr", "sw"]))
def test_an_amount_keeps_its_figures(whole: int, cents: int, language: str) -> None:
    spoken = in_words(f"KES {whole:,}.{cents:02}", language)
    figures = [int(word) for word in spoken.split() if word.isdigit()]
    assert figures == [number for number in (whole, cents) if number] or (whole, cents, figures) == (0, 0, [0])
