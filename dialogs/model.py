"""What a project is once it is loaded: frozen values in which everything that can be prepared is prepared.

It holds no behaviour of a conversation; the engine walks these values, the linter and the loader build and check them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any, Literal

from core.model.address import Strength
from core.model.inbound import Media
from dialogs.conditions import Condition
from dialogs.hours import Hours
from dialogs.templates import Template
from dialogs.words import Words

END = -1
"""The target of a step after which the flow ends."""

KEYS_MORE_LESS: Mapping[str, tuple[str, str]] = {"": ("98", "99"), "ivr": ("9", "*")}
"""The keys of the next and the previous page, by family, "" for all."""

Risk = Literal["none", "money", "irreversible"]


@dataclass(frozen=True, slots=True)
class Branch:
    """One way on from a step: taken if `when` is None or true; `then` is a step index or `END`."""

    when: Condition | None
    then: int


Next = int | tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class StepBase:
    """What all steps have: a name within the flow, the way on, and the line they stand at."""

    id: str
    next: Next
    line: int
    loose: bool = False  # the last of a nested list without `next`


@dataclass(frozen=True, slots=True)
class Action(StepBase):
    """Say a response (`utter_…`) or run an action; `on_error` is the step that takes over when it fails."""

    name: str = ""
    timeout_s: float = 10.0
    retries: int = 0
    idempotent: bool = False
    slow: bool = False
    on_error: int | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """A value for which `when` is true is refused with the response `utter`."""

    when: Condition
    utter: str


@dataclass(frozen=True, slots=True)
class Collect(StepBase):
    """Ask for a slot until it has a valid value; durations in seconds, attempts counted for each time the prompt is opened."""

    slot: str = ""
    type: str = "text"
    utter: str | None = None
    ask_action: str | None = None
    validate_action: str | None = None
    ask_before_filling: bool = False
    force: bool = False
    rejections: tuple[Rejection, ...] = ()
    optional: bool = False
    max_attempts: int = 3
    max_noinput: int = 2
    on_fail: str | int = "handoff"  # handoff, cancel, skip, a flow id, or a step index
    timeout_s: Mapping[str, float] = field(default_factory=dict)  # by family; "" for the others; 0 is off
    on_timeout: str | int = "remind_once"  # remind_once, expire, or a step index
    confirm: str = "never"  # never, low_confidence, always
    sensitive: bool = False
    refuse: frozenset[str] = frozenset()  # navigation that does not work here: cancel, agent, back, help, digress
    options_from: str | None = None
    retry_utter: tuple[str, ...] = ()
    reask: bool = True
    digits: tuple[int, int] | None = None  # shortest and longest, for digits, pin and otp


@dataclass(frozen=True, slots=True)
class SetSlots(StepBase):
    """Give slots literal values, or texts with variables."""

    values: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Link(StepBase):
    """End this flow and start another."""

    flow: str = ""


@dataclass(frozen=True, slots=True)
class Call(StepBase):
    """Run another flow as a part of this one."""

    flow: str = ""


@dataclass(frozen=True, slots=True)
class Noop(StepBase):
    """A place to branch."""


Step = Action | Collect | SetSlots | Link | Call | Noop


@dataclass(frozen=True, slots=True)
class Trigger:
    """An intent that starts a flow, from a confidence of its own if one is given."""

    intent: str
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow. `owned` are the slots that go back to their first value when it ends; `version` changes when its text does."""

    id: str
    names: Mapping[str, str]
    description: str
    steps: tuple[Step, ...]
    index: Mapping[str, int]
    version: str
    file: str
    line: int
    guard: Condition | None = None
    never: bool = False  # `if: false`: only callable
    triggers: tuple[Trigger, ...] = ()
    persisted: frozenset[str] = frozenset()
    owned: tuple[str, ...] = ()
    completed: bool = True
    pattern: bool = False
    channels: frozenset[str] = frozenset()  # empty: all
    auth: Strength = Strength.CLAIMED
    risk: Risk = "none"
    resume: str = "any"
    ttl_s: float | None = None
    queue: str | None = None
    hours: Hours | None = None

    def name(self, language: str) -> str:
        """Return the readable name in `language`, or in the project's first."""
        return self.names.get(language) or self.names[""]


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot: its type in the domain, the type that is parsed, and what is valid for it in every flow."""

    name: str
    type: str
    parsed_as: str
    initial: Any = None
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    mappings: tuple[str, ...] = ()
    entity: str | None = None
    rejections: tuple[Rejection, ...] = ()
    sensitive: bool = False
    proof: bool = False  # set by an action when the person has proved who they are
    labels: Mapping[str, str] = field(default_factory=dict)
    line: int = 0
    file: str = ""


PayloadKind = Literal["set", "intent", "text"]


@dataclass(frozen=True, slots=True)
class Button:
    """One option of a response: its label, and what choosing it means: slots to set, an intent with entities, or words.

    `fixed` is the finished option where nothing in it depends on slots.
    """

    title: Template
    kind: PayloadKind
    text: Template
    values: tuple[tuple[str, Template], ...] = ()
    fixed: list[Any] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One variation in one language, ready to be filled; `when` must be true for it to be chosen."""

    when: Condition | None
    text: Template
    buttons: tuple[Button, ...]
    media: tuple[Media, ...]
    sensitive: bool


@dataclass(frozen=True, slots=True)
class Variation:
    """One variation as written: for the linter."""

    channel: str | None
    texts: Mapping[str, Template]
    buttons: int
    line: int
    conditional: bool


@dataclass(frozen=True, slots=True)
class Response:
    """A response: `candidates` by (family or "", language), best first."""

    name: str
    candidates: Mapping[tuple[str, str], tuple[Candidate, ...]]
    variations: tuple[Variation, ...]
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Example:
    """One thing people say for an intent: normalised words in which an entity stands as `{name}`, and the values marked in it."""

    intent: str
    words: tuple[str, ...]
    entities: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """Where loops end, and from which confidence an understanding counts."""

    high: float = 0.75
    low: float = 0.5
    steps_per_turn: int = 100
    visits_per_turn: int = 5
    messages_per_turn: int = 6
    stack: int = 8
    digressions: int = 3
    turns_per_session: int = 500
    same_text: int = 5
    texts_per_minute: int = 20
    session_s: float = 3600.0
    auth_age_s: float = 900.0
    mails_per_day: int = 20


@dataclass(frozen=True, slots=True)
class Project:
    """Everything the engine needs, compiled."""

    flows: Mapping[str, Flow]
    slots: Mapping[str, Slot]
    responses: Mapping[str, Response]
    examples: tuple[Example, ...]
    intents: Mapping[str, tuple[tuple[str, float | None], ...]]  # intent -> (flow, threshold)
    synonyms: Mapping[str, str]
    words: Words
    limits: Limits
    languages: tuple[str, ...]
    start_flow: str
    auth_flow: str | None
    language_slot: str
    remember: frozenset[str]
    actions: frozenset[str]  # custom actions that the flows name
    asked: frozenset[str]  # slots that some flow asks people for
    proofs: frozenset[str] = frozenset()  # slots that say that the person has proved who they are
    hours: Hours | None = None  # of the people to whom conversations are handed over
    queue_hours: Mapping[str, Hours] = field(default_factory=dict)
    zone: tzinfo = UTC
