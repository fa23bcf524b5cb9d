"""The words of a project that always mean the same, from `words.yml` and `gateway.yml`: compared as they are, never by similarity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """Words with a fixed meaning, normalised: consent by family, navigation, yes and no, names of languages and of numbers."""

    stop: Mapping[str, frozenset[str]]  # family or "" -> words
    start: frozenset[str]
    start_if_out: frozenset[str]
    navigation: Mapping[str, str]  # word -> back, menu, repeat, help, agent, language, skip, cancel, restart
    keys: Mapping[str, Mapping[str, str]]  # family or "" -> digits and signs -> navigation
    alarm: Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]  # first word -> phrases that call for a person, and why
    languages: Mapping[str, str]
    language_names: Mapping[str, str]
    yes: frozenset[str]
    no: frozenset[str]
    change: tuple[str, ...]
    numbers: Mapping[str, int]
    multiplied_after: frozenset[str]  # number words that are multiplied by the one that follows
    days: Mapping[str, int]  # from today
    weekdays: Mapping[str, int]  # from Monday, 1
