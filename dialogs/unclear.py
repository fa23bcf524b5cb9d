"""What is said when nothing fits, or more than one thing does.

It does not decide that; that is `dialogs.interpret`.
"""

from __future__ import annotations

from core.model.capabilities import Family
from dialogs import stack
from dialogs.handover import hand_over
from dialogs.model import Collect, Flow, Link
from dialogs.prompts import refuse
from dialogs.turn import Turn


def clarify(turn: Turn, flows: tuple[str, ...]) -> None:
    """Ask which of some flows was meant; after the second time a person takes over, and by mail at once, as in `not_understood`."""
    if turn.family == Family.EMAIL:
        hand_over(turn, "unclear")
        return
    names = [{"title": turn.project.flows[name].name(turn.language), "value": name} for name in flows]
    names.append({"title": turn.text("utter_something_else"), "value": "none"})
    if not any(_hands_over(turn.project.flows[name]) for name in flows):
        names.append({"title": turn.text("utter_an_agent"), "value": "agent"})
    asked = turn.state.get("clarified", 0) + 1
    turn.state["clarified"] = asked
    if asked > 2:
        hand_over(turn, "unclear")
        return
    stack.drop_patterns(turn)
    stack.push_pattern(turn, "pattern_clarification")
    turn.set("flow_options", names)


def _hands_over(flow: Flow) -> bool:
    """Tell whether `flow` does nothing but call a person."""
    return isinstance(flow.steps[0], Link) and flow.steps[0].flow == "pattern_human_handoff"


def not_understood(turn: Turn, step: Collect | None) -> None:
    """Say that a text was not understood, as the open question puts it where there is one.

    A mail that asks for something goes to people at once: who has written one expects an answer to it, not to be asked to write another.
    """
    if step is not None:
        refuse(turn, turn.frame, step)
        return
    if turn.family == Family.EMAIL:
        hand_over(turn, "unclear")
        return
    misses = turn.state.get("misses", 0) + 1
    turn.state["misses"] = misses
    stack.push_pattern(turn, "pattern_cannot_handle", {"reason": "default", "count": misses})
