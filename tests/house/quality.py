"""The quality files of the kinds of channel, what of them can be checked by looking, and the support matrix that is made from them.

`pytest tests/house --update` writes the matrix anew; without the option the tests compare.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from channels.registry import KINDS
from core.model.adapter import BackFills, HasMedia, LooksUp
from core.model.capabilities import Capabilities, ChoiceStyle
from tests.conformance.subject import NOWHERE, Subject, subject_of
from tests.house.sources import ROOT

FOLDER = ROOT / "channels" / "quality"
STATES = ("done", "exempt", "todo")
SIGNS = {"done": "✓", "exempt": "–", "todo": "✗"}
LEAST_SAMPLES = 6

MATRIX_HEAD = """# What each kind of channel supports

✓ is done and tested, – does not apply for the reason given below, ✗ is still to do. The rules are those of every kind; what can be checked
by looking at an adapter or at its tests is checked with each change.
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a quality file says of one rule: a state, and the reason or the test that shows it."""

    state: str
    text: str


def rules() -> dict[str, str]:
    """Return the sentence of each rule by its name."""
    return _read("rules")


def verdicts(kind: str) -> dict[str, Verdict]:
    """Return what the file of a kind says of each rule."""
    return {rule: _verdict(said) for rule, said in _read(kind).items()}


def kinds_with_files() -> set[str]:
    """Return the kinds that have a file."""
    return {path.stem for path in FOLDER.glob("*.toml")} - {"rules"}


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def _verdict(said: Any) -> Verdict:
    if isinstance(said, str):
        return Verdict(said, "")
    ((state, text),) = said.items()
    return Verdict(state, text)


@dataclass(frozen=True, slots=True)
class Seen:
    """A kind as it is."""

    subject: Subject
    adapter: Any

    @property
    def can(self) -> Capabilities:
        """What its adapter says of itself."""
        capabilities: Capabilities = self.adapter.capabilities
        return capabilities

    @property
    def sends_away(self) -> bool:
        """Whether it sends to a provider, so that the conformance suite makes that fail in every way."""
        return self.subject.accepted is not None or self.subject.sending is not None


def seen(kind: str) -> Seen:
    """Return a kind with an adapter of it."""
    subject = subject_of(kind)
    return Seen(subject, subject.make(NOWHERE))


# Rules whose answer can be seen. The others are held by the conformance suite for every kind alike, or are a matter of judgement.
CHECKED: Mapping[str, Callable[[Seen], bool]] = {
    "believed": lambda kind: bool(kind.subject.forgeries),
    "rotation": lambda kind: kind.subject.authentic_before is not None,
    "samples": lambda kind: len(kind.subject.recorded()) >= LEAST_SAMPLES,
    "redaction": lambda kind: bool(kind.subject.secrets) or kind.subject.authentic_before is None,
    "documented": lambda kind: f"## `{kind.subject.kind}`\n" in (ROOT / "docs" / "channels.md").read_text(encoding="utf-8"),
    "retries": lambda kind: bool(kind.can.provider_retries),
    "sends": lambda kind: kind.can.outbound,
    "errors": lambda kind: kind.sends_away,
    "limits": lambda kind: kind.sends_away,
    "reports": lambda kind: kind.can.delivery_reports,
    "look_up": lambda kind: isinstance(kind.adapter, LooksUp),
    "back_fill": lambda kind: isinstance(kind.adapter, BackFills),
    "media": lambda kind: isinstance(kind.adapter, HasMedia) or kind.can.parsed_later,
    "buttons": lambda kind: kind.can.choices is ChoiceStyle.BUTTONS,
}


def matrix() -> str:
    """Return docs/support-matrix.md."""
    found = {kind: verdicts(kind) for kind in KINDS}
    lines = [MATRIX_HEAD, "| | " + " | ".join(f"`{kind}`" for kind in KINDS) + " |", "|---" * (len(KINDS) + 1) + "|"]
    for rule, sentence in rules().items():
        lines.append(f"| {sentence} | " + " | ".join(SIGNS[found[kind][rule].state] for kind in KINDS) + " |")
    for kind, said in found.items():
        lines += ["", f"## `{kind}`", "", f"{KINDS[kind].summary}.", "", *_reasons(said)]
    return "\n".join(lines) + "\n"


def _reasons(said: Mapping[str, Verdict]) -> Iterator[str]:
    sentences = rules()
    for rule, verdict in said.items():
        if verdict.state != "done":
            prefix = "**To do.** " if verdict.state == "todo" else ""
            yield f"- *{sentences[rule]}*: {prefix}{verdict.text}"
