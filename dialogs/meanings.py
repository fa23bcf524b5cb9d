"""What a person can mean by a text: the values that `dialogs.interpret` finds and the engine carries out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dialogs.turn import Option


@dataclass(frozen=True, slots=True)
class Navigate:
    """A word that works everywhere: back, menu, repeat, help, agent, language, skip, cancel, restart, more, less."""

    word: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Choose:
    """One of the options of the open prompt; not `sure` if what was written is only similar to it."""

    option: Option
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Give:
    """A value for the slot of the open prompt."""

    value: Any


@dataclass(frozen=True, slots=True)
class Begin:
    """The start of a flow, with slots that the words already filled."""

    flow: str
    slots: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Correct:
    """Another value for a slot that was filled before; None: it is to be asked again; no slot: it is to be asked which."""

    slot: str | None
    value: Any = None


@dataclass(frozen=True, slots=True)
class Clarify:
    """It may mean one of these flows."""

    flows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alarm:
    """Words that call for a person at once; `reason` says of what kind."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """It fits nothing."""


Meaning = Navigate | Choose | Give | Begin | Correct | Clarify | Alarm | Unclear
