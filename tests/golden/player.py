"""Plays a golden conversation against the real engine and writes down what comes back.

A file has settings at the top (`channel`, `country`, `language`, `trust`, `known`, `facts`, `actions`) and `turns`. A turn
has one input and, beside it, `channel`, `after` (seconds), `owner`, `opted_out`, `trust`, which hold from then on:

    say: text | [texts]      dial: "" | "1*50"        join: true           choose: label of a button, the latest one seen
    done: {slots, error, responses, events}           late: true           dropped: true
    silent: true (nothing was said on the phone)
    timer: prompt | redial (the latest set, or: prompt stale, the one before)
    handed_back: open | closed                    media: image

Expected: `bot` (replies; on channels with sessions after CON or END; buttons in brackets), `does` (effects), and, where the turn
has them, `stack` (flows from the bottom) and `slots`. `actions` at the top gives results of actions that run at once.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from core.model.address import Strength
from core.model.capabilities import Capabilities, ChoiceStyle, Family
from core.model.dialog import (
    ActionDone,
    ActionLate,
    Advanced,
    CancelTimer,
    CloseInteraction,
    DialogContext,
    DialogInput,
    Effect,
    Fact,
    HandedBack,
    HandOver,
    Remember,
    RunAction,
    Said,
    SessionEnded,
    SetConsent,
    SetLanguage,
    SetReason,
    SetTimer,
    TimerFired,
)
from core.model.inbound import Media, Session
from core.model.outbound import Reply
from core.text.segments import septets
from dialogs.engine import Engine
from dialogs.loader import load_project

ROOT = Path(__file__).parents[2]
CHANNELS = {
    "ussd": Capabilities(
        Family.USSD,
        182,
        160,
        gsm7=True,
        inline_reply=True,
        outbound=False,
        session=True,
        answer_deadline_s=8,
        merge_replies=True,
        secrets_allowed=True,
    ),
    "sms": Capabilities(Family.SMS, 1530, 306, gsm7=True, merge_replies=True),
    "web": Capabilities(Family.WEB, 4000, 4000, choices=ChoiceStyle.BUTTONS, pulled=True, secrets_allowed=False),
    "telegram": Capabilities(Family.TELEGRAM, 4096, 4096, choices=ChoiceStyle.BUTTONS),
    "ivr": Capabilities(Family.VOICE, 1000, 300, inline_reply=True, session=True, merge_replies=True, secrets_allowed=True),
    "email": Capabilities(Family.EMAIL, 100_000, 10_000, merge_replies=True),
    "console": Capabilities(Family.CONSOLE, 10_000, 10_000),
}
START_MS = 1_767_259_800_000  # 2026-01-01 09:30 UTC, a Thursday
INPUTS = ("say", "dial", "silent", "join", "choose", "done", "late", "dropped", "timer", "handed_back", "media")


@cache
def engine_of(dialog: str) -> Engine:
    """Return the engine of the shipped library of that name, or of a test project."""
    shipped = ROOT / "dialogs" / "library" / dialog
    return Engine(load_project(shipped if shipped.is_dir() else ROOT / "tests" / "dialogs" / "projects" / dialog))


@dataclass
class Player:
    """One conversation: what the turn would keep around the engine."""

    engine: Engine
    settings: dict[str, Any]
    state: dict[str, Any] | None = None
    now_ms: int = START_MS
    count: int = 0
    tokens: dict[str, str] = field(default_factory=dict)
    timers: list[SetTimer] = field(default_factory=list)
    running: RunAction | None = None
    heard: tuple[str, ...] = ()

    def play(self, turn: dict[str, Any]) -> tuple[list[str], list[Any]]:
        """Play one turn; return the replies and effects as they are written in the file."""
        self.settings.update({key: turn[key] for key in ("channel", "owner", "opted_out", "trust", "language") if key in turn})
        self.now_ms += round(turn.get("after", 4) * 1000)
        out, effects = self._advance(self._input(turn))
        while self.running is not None and self.running.name in self.settings.get("actions", {}):
            result = self.settings["actions"][self.running.name]
            replies, more = self._advance(self._done(result if isinstance(result, dict) else {}))
            out, effects = out + replies, effects + more
        return out, effects

    def _input(self, turn: dict[str, Any]) -> DialogInput:
        kinds = [kind for kind in INPUTS if kind in turn]
        assert len(kinds) == 1, f"a turn has exactly one of {INPUTS}: {turn}"
        kind, value = kinds[0], turn[kinds[0]]
        match kind:
            case "say":
                return Said(tuple(value) if isinstance(value, list) else (str(value),))
            case "dial":
                parts = tuple(part for part in str(value or "").split("*") if part)
                nothing = ("",) if self.settings.get("channel") == "ivr" else ()  # a call begins with an empty text
                return Said(parts or nothing, session=Session.NEW, session_id=f"s{self.count}")
            case "silent":
                return Said(("",), session=Session.RESUME)
            case "join":
                return Said(session=Session.NEW)
            case "choose":
                return Said(choice=self.tokens[value])
            case "media":
                return Said(media=(Media(value),))
            case "done":
                return self._done(value or {})
            case "late":
                assert self.running is not None
                return ActionLate(self.running.key)
            case "dropped":
                return SessionEnded()
            case "timer":
                kind, *stale = value.split()
                timers = [timer for timer in self.timers if timer.kind == kind]
                return TimerFired(kind, timers[-2 if stale else -1].payload)
        self.settings["owner"] = "bot"
        return HandedBack(closed=value == "closed")

    def _done(self, result: dict[str, Any]) -> ActionDone:
        assert self.running is not None, "no action runs"
        running, self.running = self.running, None
        slots = [{"event": "slot", "name": name, "value": value} for name, value in result.get("slots", {}).items()]
        events = [*slots, *result.get("events", ())]
        return ActionDone(running.key, running.name, tuple(events), tuple(result.get("responses", ())), result.get("error"))

    def context(self) -> DialogContext:
        """Return what the turn would tell the engine now."""
        self.count += 1
        known = self.settings
        return DialogContext(
            now_ms=self.now_ms,
            cause=f"019b0000-0000-7000-8000-{self.count:012x}",
            conversation_id="019b0000-0000-7000-8000-ffffffffffff",
            channel_id=known.get("channel", "ussd"),
            capabilities=CHANNELS[known.get("channel", "ussd")],
            language=known.get("language"),
            country=known.get("country", "KE"),
            trust=Strength[known.get("trust", "network").upper()],
            known=known.get("known", True),
            opted_out=known.get("opted_out", False),
            owner=known.get("owner", "bot"),
            facts={name: Fact(value, "told", START_MS) for name, value in known.get("facts", {}).items()},
        )

    def _advance(self, what: DialogInput) -> tuple[list[str], list[Any]]:
        context = self.context()
        before = copy.deepcopy(self.state)
        result = self.engine.advance(self.state, what, context)
        assert self.state == before, "the engine changed the state it was given"
        assert self.engine.advance(before, what, context) == result, "the same input gave another answer"
        self._keep(result)
        if isinstance(what, Said):
            self.heard += what.texts
        for reply in result.replies:
            check_reply(reply, context.capabilities, self.heard)
        return [shown(reply, context.capabilities) for reply in result.replies], [told(effect) for effect in result.effects]

    def _keep(self, result: Advanced) -> None:
        """Do with the effects what the turn does."""
        self.state = json.loads(json.dumps(result.state))
        assert self.state == result.state, "the state is no plain JSON"
        for reply in result.replies:
            self.tokens.update({choice.label: choice.token for choice in reply.choices})
        for effect in result.effects:
            match effect:
                case RunAction():
                    assert self.running is None, "two actions at once"
                    self.running = effect
                case SetTimer():
                    self.timers.append(effect)
                case HandOver():
                    self.settings["owner"] = "queued"
                case SetConsent():
                    self.settings["opted_out"] = not effect.opted_in
                case SetLanguage():
                    self.settings["language"] = effect.language


def check_reply(reply: Reply, capabilities: Capabilities, heard: tuple[str, ...]) -> None:
    """What must hold for every reply of every conversation; braces are only the person's own."""
    text = reply.text
    assert text.strip() or reply.media, "an empty reply"
    assert "None" not in text.split(), text
    ours = text
    for theirs in heard:
        ours = ours.replace(theirs, "")
    assert not set("{}") & set(ours), text
    assert all(len(choice.token.encode()) <= 64 for choice in reply.choices)
    if capabilities.family is Family.USSD:
        size = septets(text)
        if size is None:  # somebody's own words in another script
            assert len(text.encode("utf-16-be")) <= capabilities.text_budget_chars * 7 / 8, text
        else:
            assert size <= capabilities.text_budget_chars, f"{size} septets: {text}"
    if capabilities.family is Family.VOICE:
        assert not set("\n*#_|<>[]()") & set(text), text
        assert (reply.listen is None) is reply.ends_session
    assert len(text) <= capabilities.text_max_chars


def shown(reply: Reply, capabilities: Capabilities) -> str:
    """Write a reply as it stands in a file."""
    text = reply.text
    if reply.choices:
        text += "\n" + " ".join(f"[{choice.label}]" for choice in reply.choices)
    if reply.media:
        text += "\n" + " ".join(f"<{media.kind} {media.url}>" for media in reply.media)
    if capabilities.session:
        return ("END " if reply.ends_session else "CON ") + text
    assert not reply.ends_session
    return text


def told(effect: Effect) -> Any:
    """Write an effect as it stands in a file."""
    match effect:
        case RunAction():
            return f"run {effect.name}" + (" slow" if effect.slow else "")
        case HandOver():
            return {"handover": effect.reason, "card": dict(effect.card)} | ({"queue": effect.queue} if effect.queue else {})
        case SetConsent():
            return f"consent {'in' if effect.opted_in else 'out'}"
        case SetLanguage():
            return f"language {effect.language}"
        case Remember():
            return f"remember {effect.name}={effect.value}" + (" verified" if effect.verified else "")
        case SetTimer():
            return f"timer {effect.kind} {effect.after_s:g}"
        case CancelTimer():
            return f"cancel timer {effect.kind}"
        case SetReason():
            return f"reason {effect.reason}"
        case CloseInteraction():
            return f"close {effect.reason}"
