"""The seam between the turn and the dialogs: what the engine is told, and what it answers.

The turn knows only these values. It keeps the state as a document that it does not look into, and it carries out effects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from core.model.address import Strength
from core.model.capabilities import Capabilities
from core.model.inbound import Media, Session
from core.model.outbound import Reply

State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something a person told once; follows the person over channels."""

    value: Any
    source: str
    at: int
    verified: bool = False


@dataclass(frozen=True, slots=True)
class DialogContext:
    """All that a dialog may know of the outside in one turn."""

    now_ms: int
    cause: str  # id of the event of this turn; ids and tokens are derived from it
    conversation_id: str
    channel_id: str
    capabilities: Capabilities
    language: str | None  # what the person chose, or else their page or program is in; None if neither is known
    country: str = ""  # ISO 3166-1 alpha-2 of the operator, for numbers and keywords
    trust: Strength = Strength.CLAIMED
    known: bool = False  # a customer rather than a prospect
    name: str | None = None
    opted_out: bool = False
    owner: str = "bot"  # bot | queued | agent
    attended: bool = True  # people are at work now, as far as is known
    queue: str = ""  # where work waits: what is live now, else what is new
    waits_since: int | None = None  # since when a caller's request waits for people, ms UTC
    facts: Mapping[str, Fact] = field(default_factory=dict)


class Corrects(StrEnum):
    """What a message corrects: nothing, the latest word, or one before it, which the dialog is not told of."""

    NOTHING = ""
    LATEST = "latest"
    EARLIER = "earlier"


@dataclass(frozen=True, slots=True)
class Said:
    """The person said something. Several `texts` are answers given at once (a USSD dial string); `choice` is an option token.

    `proved` is the person's own phone number in E.164 if this very message proves it, such as a contact that the provider vouches for.
    """

    texts: tuple[str, ...] = ()
    choice: str | None = None
    media: tuple[Media, ...] = ()
    session: Session = Session.NONE
    session_id: str | None = None
    corrects: Corrects = Corrects.NOTHING
    proved: str = ""


@dataclass(frozen=True, slots=True)
class ActionDone:
    """An action that a flow asked for has ended. `error` is None or a stable code; `events` and `responses` are in the form of rasa-sdk."""

    key: str
    name: str
    events: tuple[Mapping[str, Any], ...] = ()
    responses: tuple[Mapping[str, Any], ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ActionLate:
    """The answer deadline of the channel passed while the action `key` still runs: end the screen, say how the result follows."""

    key: str


@dataclass(frozen=True, slots=True)
class ActionHeld:
    """The action `key` still runs, and the person can be kept on the line: ask them to wait, once more if it is `again`."""

    key: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The transport session ended without a word from the person (USSD abort or time-out, hang-up).

    `unheard`: what was said last never reached them.
    """

    session_id: str | None = None
    unheard: bool = False


@dataclass(frozen=True, slots=True)
class TransferEnded:
    """A caller is back who was put through to people; `taken`: somebody had taken the call.

    `queue` is the line in which they go on waiting, because the phone of who wanted to take them was not answered; `left`: they did not
    want to wait any longer.
    """

    taken: bool
    queue: str | None = None
    left: bool = False


@dataclass(frozen=True, slots=True)
class InLine:
    """A caller waits in a line, at `place` if that is known; with `fetched` one of our people is called for them now."""

    place: int | None = None
    fetched: bool = False


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer that the engine had set is due."""

    kind: str
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HandedBack:
    """An agent has ended the hand-over; the bot owns the conversation again. `closed`: the matter is settled, start afresh."""

    closed: bool


DialogInput = Said | ActionDone | ActionLate | ActionHeld | SessionEnded | TransferEnded | InLine | TimerFired | HandedBack


@dataclass(frozen=True, slots=True)
class RunAction:
    """Run the action `name`; its end comes back as `ActionDone` with the same `key`, which is also its idempotency key."""

    name: str
    key: str
    tracker: Mapping[str, Any]  # slots and latest message, in the form of rasa-sdk's tracker
    timeout_s: float = 10.0
    retries: int = 0
    idempotent: bool = False
    slow: bool = False


@dataclass(frozen=True, slots=True)
class HandOver:
    """Give the conversation to people. `card` is what the agent sees: wanted, tried, failed, facts, flow, step."""

    reason: str
    card: Mapping[str, Any]
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class SetConsent:
    """The person opted out of, or into, messages on this address."""

    opted_in: bool


@dataclass(frozen=True, slots=True)
class SetLanguage:
    """The person chose a language."""

    language: str


@dataclass(frozen=True, slots=True)
class Remember:
    """Keep a fact with the person."""

    name: str
    value: Any
    verified: bool = False


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Wake this dialog at `now + after_s`, unless something with the same `kind` is set later or cancelled."""

    kind: str
    after_s: float
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Forget the timer of this kind."""

    kind: str


@dataclass(frozen=True, slots=True)
class SetReason:
    """What the contact is about, for the interaction: a flow id."""

    reason: str


@dataclass(frozen=True, slots=True)
class CloseInteraction:
    """Both sides agree that the matter is settled."""

    reason: str = "agreed"


Effect = RunAction | HandOver | SetConsent | SetLanguage | Remember | SetTimer | CancelTimer | SetReason | CloseInteraction


@dataclass(frozen=True, slots=True)
class Advanced:
    """The result of one step of a dialog: the new state, what to say, what to do."""

    state: State
    replies: tuple[Reply, ...] = ()
    effects: tuple[Effect, ...] = ()
    conceal: bool = False  # what the person said is a secret: it is to be recorded masked


class Dialog(Protocol):
    """What the turn needs of the dialogs; pure: the same arguments give the same answer."""

    def advance(self, state: State | None, what: DialogInput, context: DialogContext) -> Advanced:
        """Take the dialog one turn on; raises only on a defect, which the turn turns into an apology."""
        ...
