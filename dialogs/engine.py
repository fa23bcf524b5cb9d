"""One step of a dialog: what happened and the state before give the state after, what to say and what to do. Pure.

It holds the order of things; flows, prompts, words and screens each have their own module.
"""

from __future__ import annotations

from typing import assert_never

from core.model.capabilities import Family
from core.model.dialog import (
    ActionDone,
    ActionHeld,
    ActionLate,
    Advanced,
    CancelTimer,
    DialogContext,
    DialogInput,
    HandedBack,
    InLine,
    RunAction,
    Said,
    SessionEnded,
    State,
    TimerFired,
    TransferEnded,
)
from core.model.inbound import Session
from dialogs import results, sessions, stack
from dialogs.guards import give_up, mails_used_up, take_consent, too_often, within_mails
from dialogs.handover import away_until, hand_over
from dialogs.hearing import heard, proves, unanswered
from dialogs.interpret import consent, interpret
from dialogs.meanings import Alarm, Begin, Choose, Clarify, Correct, Give, Meaning, Navigate, Unclear
from dialogs.model import Collect, Project
from dialogs.navigate import correct, navigate
from dialogs.normal import normal
from dialogs.prompts import recorded, take_answer
from dialogs.redial import line_dropped
from dialogs.render import replies
from dialogs.spoken import asked_to_wait, in_line
from dialogs.steps import run
from dialogs.templates import show
from dialogs.turn import Option, Stuck, Turn, Utterance
from dialogs.unclear import clarify, not_understood
from dialogs.understanding import KeywordUnderstanding, Understand
from dialogs.waiting import transfer_ended, while_waiting


class Engine:
    """The dialogs of one project. `understand` reads free words; the examples of the project do unless another is given."""

    def __init__(self, project: Project, understand: Understand | None = None) -> None:
        self.project = project
        self._understand = understand or KeywordUnderstanding(project)

    def advance(self, state: State | None, what: DialogInput, context: DialogContext) -> Advanced:
        """Take the dialog one turn on; see `core.model.dialog.Dialog`."""
        turn = Turn(self.project, state, context)
        if isinstance(what, ActionHeld):
            return Advanced(state or {}, (asked_to_wait(turn, again=what.again),))
        if isinstance(what, InLine):
            return Advanced(state or {}, (in_line(turn, what),))
        try:
            self._take(turn, what)
        except Stuck as stuck:
            give_up(turn, stuck.code)
        return _result(turn)

    def _take(self, turn: Turn, what: Said | ActionDone | ActionLate | SessionEnded | TransferEnded | TimerFired | HandedBack) -> None:
        match what:
            case Said():
                self._said(turn, what)
            case ActionDone():
                _release(turn, what.key)
                results.action_done(turn, what)
                self._answer_queue(turn)
            case ActionLate():
                _release(turn, what.key)
                results.action_late(turn, what)
            case SessionEnded():
                line_dropped(turn, unheard=what.unheard)
            case TransferEnded():
                transfer_ended(turn, what)
                run(turn)
            case TimerFired():
                sessions.timer_fired(turn, what)
            case HandedBack():
                sessions.handed_back(turn, what)
            case _:
                assert_never(what)

    def _said(self, turn: Turn, said: Said) -> None:
        """The person speaks: consent first, then a word with whoever owns the conversation, then the dialog."""
        if turn.state.pop("redial", None) is not None:
            turn.effects.append(CancelTimer("redial"))
        said = heard(turn, said)
        texts = said.texts
        if texts and said.choice is None and (opted_in := consent(turn, normal(texts[0]))) is not None:
            take_consent(turn, opted_in=opted_in)
            return
        if turn.context.owner != "bot":
            answer = while_waiting(turn, said, self._understand)
            if answer is not None:
                self._apply(turn, answer)
            return
        if said.corrects and not unanswered(turn):
            return
        if "pending" in turn.state:
            self._meanwhile(turn, texts)
            return
        if mails_used_up(turn):
            hand_over(turn, "stuck:mails")
            return
        sessions.expire(turn)
        offered = sessions.arrive(turn, said)
        if too_often(turn, texts):
            return
        turn.text_in = " ".join(texts)
        if turn.stack and turn.frame["step"] not in turn.flow(turn.frame).index:
            run(turn)  # the question is gone since the project was changed
        elif said.choice is not None:
            self._chosen(turn, said.choice)
        elif texts and not offered:
            proving = proves(turn, said)
            if proving is not None:
                stack.start(turn, self.project.flows[proving], {})
                run(turn)
            turn.state["queue"] = list(texts)
            dialled = said.session is Session.NEW and turn.context.capabilities.session
            self._answer_queue(turn, first=not dialled and proving is None)
        elif said.media and not texts and recorded(turn, said.media):
            run(turn)
        elif said.media and not texts:
            stack.push_pattern(turn, "pattern_cannot_handle", {"reason": "media"})
            run(turn)
        elif said.session is Session.RESUME and turn.family == Family.VOICE and not offered:
            sessions.silence(turn)
        elif said.session is Session.CLOSE:
            line_dropped(turn)
        else:
            if not turn.stack:
                stack.begin(turn, self.project.flows[self.project.start_flow])
            run(turn)

    def _meanwhile(self, turn: Turn, texts: tuple[str, ...]) -> None:
        """An action still runs: only a call for a person is heard, anything else gets the state of affairs."""
        if texts and self.project.words.navigation.get(normal(texts[0])) == "agent" and away_until(turn) is None:
            hand_over(turn, "asked", failed=turn.state["pending"]["name"])
        else:
            results.still_pending(turn)

    def _answer_queue(self, turn: Turn, *, first: bool = False) -> None:
        """Feed the answers that came at once to one prompt after the other; what was asked in between need not be shown.

        The `first` text of an ordinary message is taken as it comes; a dial string always answers the menu.
        """
        while turn.state.get("queue") and "pending" not in turn.state and not turn.over:
            text, *rest = turn.state["queue"]
            turn.state["queue"] = rest
            if rest or not first:
                if turn.prompt is None and not turn.stack:
                    stack.begin(turn, self.project.flows[self.project.start_flow])
                    run(turn)
                turn.said[:] = [item for item in turn.said if not item.asks]
            turn.waiting = False
            first = False
            asked = _asked(turn)
            meaning = interpret(turn, text, self._understand)
            if _just_offered(turn) and not _leads_elsewhere(turn, meaning):
                turn.state["queue"] = []
                run(turn)
            else:
                self._apply(turn, meaning)
                if _asked(turn) == asked:  # it was no answer; what follows it cannot be trusted
                    turn.state["queue"] = []

    def _apply(self, turn: Turn, meaning: Meaning) -> None:
        """Do what was meant and go on."""
        step = turn.collect_step()
        if not isinstance(meaning, Unclear | Clarify):
            turn.state.pop("misses", None)
            turn.state.pop("clarified", None)
        match meaning:
            case Navigate():
                navigate(turn, meaning)
            case Choose():
                self._take_option(turn, meaning.option, step, sure=meaning.sure)
            case Give() if step is not None:
                _give(turn, step, meaning.value, show(meaning.value), sure=True)
            case Begin():
                stack.start(turn, self.project.flows[meaning.flow], meaning.slots)
            case Correct():
                correct(turn, meaning.slot, meaning.value, step)
            case Clarify():
                clarify(turn, meaning.flows)
            case Alarm():
                hand_over(turn, meaning.reason, offer=False)  # it waits for people in any case
            case _:
                not_understood(turn, step)
        if turn.page is None:
            run(turn)

    def _take_option(self, turn: Turn, option: Option, step: Collect | None, *, sure: bool = True) -> None:
        title, kind, data = option
        if kind == "set":
            for name, value in data.items():
                if step is None or name != step.slot:
                    turn.set(name, value)
            if step is not None and step.slot in data:
                _give(turn, step, data[step.slot], title, sure=sure)
            else:
                turn.close_prompt()
        elif kind == "intent":
            intent, entities = data
            started = [flow for flow, _ in self.project.intents.get(intent, ())] or [intent]
            if started[0] in self.project.flows:
                stack.start(turn, self.project.flows[started[0]], entities)
        else:
            turn.close_prompt()
            self._apply(turn, interpret(turn, data, self._understand))

    def _chosen(self, turn: Turn, token: str) -> None:
        """A button was pressed: of the open prompt, or of an earlier one that still stands on the person's screen."""
        nonce, _, place = token.rpartition(":")
        number = int(place) if place.isdecimal() and len(place) < 4 else 0
        prompt = turn.prompt
        if prompt is not None and prompt["nonce"] == nonce and 0 < number <= len(prompt.get("opts", ())):
            self._apply(turn, Choose(prompt["opts"][number - 1]))
            return
        for old in turn.state.get("old", ()):
            if old["nonce"] == nonce and 0 < number <= len(old["opts"]):
                _, kind, data = old["opts"][number - 1]
                if kind == "intent":
                    self._take_option(turn, old["opts"][number - 1], None)
                    run(turn)
                    return
                name = next(iter(data)) if kind == "set" and len(data) == 1 else None
                if name is not None and turn.frame_by_id(old["frame"]) is not None and _filled(turn, name):
                    self._apply(turn, Correct(name, data[name]))
                    return
        turn.say("utter_option_expired")
        if not turn.stack:
            stack.begin(turn, self.project.flows[self.project.start_flow])
        run(turn)


def _release(turn: Turn, key: str) -> None:
    """Say what was held back until the action `key` came to an end, or came too late for the screen."""
    if turn.state.get("pending", {}).get("key") == key and turn.context.owner == "bot":
        turn.said.extend(Utterance(text, sensitive=sensitive) for text, sensitive in turn.state.pop("held", ()))


def _filled(turn: Turn, name: str) -> bool:
    return any(slot == name for frame in turn.stack for slot, _ in frame.get("order", ()))


def _asked(turn: Turn) -> tuple[int, str] | None:
    """Return which question is open."""
    return (turn.prompt["frame"], turn.prompt.get("step", "")) if turn.prompt is not None else None


def _just_offered(turn: Turn) -> bool:
    return bool(turn.stack) and turn.frame["flow"] == "pattern_continue_interrupted" and turn.prompt is None


def _leads_elsewhere(turn: Turn, meaning: Meaning) -> bool:
    """Tell whether somebody wants something else than what they are offered to go on with; a mere greeting does not say so."""
    return isinstance(meaning, Navigate) or (isinstance(meaning, Begin) and meaning.flow != turn.project.start_flow)


def _give(turn: Turn, step: Collect, value: object, label: str, *, sure: bool) -> None:
    """Take an answer, or have it confirmed first: where the step says so, and a mere guess where something is at stake."""
    guess = not sure and (step.confirm == "low_confidence" or turn.flow(stack.user_frame(turn)).risk != "none")
    if step.confirm == "always" or guess:
        stack.push_pattern(turn, "pattern_confirm_answer", {"answer": label, "value": value})
    else:
        take_answer(turn, step, value)


def _result(turn: Turn) -> Advanced:
    if turn.said and turn.context.capabilities.merge_replies and any(isinstance(effect, RunAction) for effect in turn.effects):
        turn.state["held"] = [[item.text, item.sensitive] for item in turn.said]  # it goes out together with the result
        turn.said.clear()
    out = within_mails(turn, replies(turn))
    timed = turn.state.get("timer")  # the nonce of the prompt whose timer runs
    if turn.timer is not None and turn.prompt is not None and not turn.ends:
        turn.effects.append(turn.timer)
        turn.state["timer"] = turn.prompt["nonce"]
    elif timed is not None and (turn.prompt is None or turn.prompt["nonce"] != timed):
        turn.effects.append(CancelTimer("prompt"))
        del turn.state["timer"]
    if turn.said:
        turn.state["said"] = [item.text for item in turn.said if not item.asks and not item.sensitive]
    return Advanced(turn.finish(), out, tuple(turn.effects), turn.conceal)
