"""The working copy of one step of a dialog: the state being changed, what is said, what is to be done.

Only `Engine.advance` makes one. It copies what it changes, so the state it was given stays as it was. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.model.address import Strength
from core.model.capabilities import Family
from core.model.dialog import DialogContext, Effect, Remember, SetLanguage, SetTimer, State
from core.model.inbound import Media
from dialogs.model import Candidate, Collect, Flow, Project

Frame = dict[str, Any]
Option = list[Any]
"""[label, kind, data]: `set` with slots and values, `intent` with [name, entities], `text` with words."""

_NOTHING: Mapping[str, Any] = {}
_ONE_SHOT = frozenset({Family.USSD, Family.VOICE})


@dataclass(slots=True)
class Utterance:
    """One thing the bot says in this turn; `asks` marks the text of the open prompt."""

    text: str
    media: tuple[Media, ...] = ()
    sensitive: bool = False
    asks: bool = False


class Stuck(Exception):
    """A loop guard tripped; `code` names it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Turn:
    """One step: `stack` from the bottom, `slots` by name, `prompt` if one is open, `said` and `effects` so far."""

    __slots__ = (
        "conceal", "context", "effects", "ended", "ends", "family", "language", "late", "one_shot", "over", "page", "page_sensitive",
        "project", "prompt", "said", "slots", "stack", "state", "steps", "text_in", "timer", "transfer", "visits",
        "waiting",
    )  # fmt: skip

    def __init__(self, project: Project, state: State | None, context: DialogContext) -> None:
        self.project = project
        self.context = context
        self.state: State = dict(state) if state else {}
        self.stack: list[Frame] = [dict(frame) for frame in self.state.get("stack", ())]
        self.slots: dict[str, Any] = dict(self.state.get("slots", _NOTHING))
        self.prompt: dict[str, Any] | None = self.state.get("prompt")
        if any(frame["flow"] not in project.flows for frame in self.stack):  # the project was changed meanwhile
            self.stack, self.prompt = [], None
        self.said: list[Utterance] = []
        self.effects: list[Effect] = []
        self.family: str = context.capabilities.family
        self.one_shot = context.capabilities.family in _ONE_SHOT
        self.language = self._language()
        self.steps = 0
        self.visits: dict[tuple[int, str], int] = {}
        self.waiting = False
        self.ended: str | None = None  # the user flow that ended last, with nothing below it
        self.over = False  # nothing more is to be started in this turn
        self.ends = False  # the transport session ends with this turn
        self.transfer: str | None = None  # the queue to whose people this call is put through
        self.late = False  # this turn is the late end of an action
        self.conceal = False  # what the person said is a secret
        self.page: str | None = None  # the page of a long screen that is to be shown as it is
        self.page_sensitive = False
        self.text_in = ""
        self.timer: SetTimer | None = None

    def _language(self) -> str:
        known = self.project.languages
        language = (self.context.language or "")[:2].lower()
        return language if language in known else known[0]

    @property
    def frame(self) -> Frame:
        """The frame on top."""
        return self.stack[-1]

    def frame_by_id(self, number: int) -> Frame | None:
        """Return the frame with this number, None if it has ended."""
        return next((frame for frame in self.stack if frame["id"] == number), None)

    def flow(self, frame: Frame) -> Flow:
        """Return the flow of `frame`."""
        return self.project.flows[frame["flow"]]

    def value(self, name: str) -> Any:
        """Return the value of a slot, or its first value."""
        found = self.slots.get(name)
        if found is None and name in self.project.slots:
            return self.project.slots[name].initial
        return found

    def set(self, name: str, value: Any) -> None:
        """Give a slot a value; None clears it."""
        if value is None:
            self.slots.pop(name, None)
        else:
            self.slots[name] = value
            if name in self.project.proofs and value:
                self.state["proved"] = self.context.now_ms
        if name == self.project.language_slot and value in self.project.languages:
            self.speak(value)

    def remember(self, name: str) -> None:
        """Keep what the person told in `name` for later flows and channels, if the project says so."""
        if name in self.project.remember and not self.project.slots[name].sensitive:
            self.effects.append(Remember(name, self.slots[name], self.trust >= Strength.PROVED))

    @property
    def trust(self) -> Strength:
        """How well the person is known now: a proof counts for a while, and then only what the channel itself shows does."""
        trust, proved = self.context.trust, self.state.get("proved")
        if trust < Strength.PROVED or not self.project.proofs:
            return trust
        fresh = proved is not None and self.context.now_ms - proved <= self.project.limits.auth_age_s * 1000
        return trust if fresh else self.context.capabilities.sender_strength

    def forget_proof(self) -> None:
        """Take away what a proof has shown; flows that need one ask for it again."""
        if self.state.pop("proved", None) is None:
            return
        for name in self.project.proofs:
            self.slots.pop(name, None)
        for frame in self.stack:
            frame.pop("auth", None)

    def speak(self, language: str) -> None:
        """Go on in another language."""
        if language != self.language or self.context.language != language:
            self.effects.append(SetLanguage(language))
        self.language = language

    def candidate(self, name: str, context: Mapping[str, Any]) -> tuple[Candidate, str] | None:
        """Return the variation of a response for this channel and language with its text; None if no variation has all its values."""
        table = self.project.responses[name].candidates
        for candidate in table.get((self.family, self.language)) or table["", self.language]:
            if candidate.when is None or candidate.when.test(self.slots, context):
                text = candidate.text.fill(self.slots, context)
                if text is not None:
                    return candidate, text
        return None

    def say(self, name: str, context: Mapping[str, Any] = _NOTHING) -> Candidate | None:
        """Say a response; what cannot be said for want of a value is replaced by a neutral sentence. Returns the variation."""
        found = self.candidate(name, context)
        if found is None:
            self.say_text(self.text("utter_not_available"))
            return None
        candidate, text = found
        self.said.append(Utterance(text, candidate.media, candidate.sensitive))
        return candidate

    def text(self, name: str, context: Mapping[str, Any] = _NOTHING) -> str:
        """Return the text of a response, empty if no variation has all its values."""
        found = self.candidate(name, context)
        return found[1] if found is not None else ""

    def say_text(self, text: str) -> None:
        """Say `text` as it is."""
        if text:
            self.said.append(Utterance(text))

    def tries(self, frame: Frame) -> int:
        """Return how often the open question of `frame` got no valid answer; on the phone silence is one."""
        fails: int = frame.get("fails", 0)
        return fails + int(frame.get("noinput", 0)) if self.family == Family.VOICE else fails

    def nonce(self) -> str:
        """Return an id for a prompt opened now."""
        return f"{self.context.cause}.{self.number()}"

    def number(self) -> int:
        """Return a number that this conversation has not used before: one event may cause several steps of a dialog."""
        number: int = self.state.get("number", 0) + 1
        self.state["number"] = number
        return number

    def close_prompt(self) -> None:
        """Forget the open prompt; its options stay known as stale ones where buttons outlive it."""
        prompt, self.prompt = self.prompt, None
        if prompt and prompt.get("opts") and self.context.capabilities.choices == "buttons":
            self.state["old"] = [*self.state.get("old", ())[-2:], {key: prompt[key] for key in ("nonce", "frame", "opts") if key in prompt}]

    def collect_step(self) -> Collect | None:
        """Return the step whose prompt is open."""
        if self.prompt is None or not self.stack or "step" not in self.prompt:
            return None
        frame = self.stack[-1]
        if frame["id"] != self.prompt["frame"]:
            return None
        flow = self.project.flows[frame["flow"]]
        index = flow.index.get(self.prompt["step"])
        step = flow.steps[index] if index is not None else None
        return step if isinstance(step, Collect) else None

    def finish(self) -> State:
        """Return the new state as plain JSON, without empty parts."""
        state = self.state
        state["stack"], state["slots"], state["prompt"] = self.stack, self.slots, self.prompt
        return {key: value for key, value in state.items() if value not in (None, [], {}, "")}
