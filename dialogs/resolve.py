"""Connects what flows name with what there is: prompts, validations, called flows; and reports names that nothing has.

After it the engine may look up any name of a project without asking whether it exists.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from dialogs.model import Action, Call, Collect, Flow, Link, Project, Response, SetSlots, Slot, Step
from dialogs.source import Map, Problems

BUILT_IN = frozenset(
    {
        "action_hand_over",
        "action_close_interaction",
        "action_hang_up",
        "action_start_menu",
        "action_cancel_flow",
        "action_restart",
        "action_continue_flow",
        "action_start_again",
        "action_start_chosen",
        "action_correct_chosen",
        "action_take_answer",
        "action_set_language",
        "action_request_callback",
        "action_leave_message",
        "action_leave_callback",
        "action_wait",
    }
)
"""Actions that the engine carries out itself; the patterns use them, and flows may."""

_WAYS_OUT = {"handoff", "cancel", "skip"}


def resolve(
    flows: Mapping[str, Flow], slots: Mapping[str, Slot], responses: Mapping[str, Response], declared: Collection[str], problems: Problems
) -> dict[str, Flow]:
    """Return the flows with prompts and owned slots filled in; every unknown name is noted."""
    found = {}
    for flow in flows.values():
        steps = tuple(_step(step, flow, responses, declared, problems) for step in flow.steps)
        for step in steps:
            for text in _unknown(step, flows, slots, responses):
                problems.at(flow.file, step.line, text)
        found[flow.id] = replace(flow, steps=steps, owned=_owned(flow, flows, slots))
    return found


def _step(step: Step, flow: Flow, responses: Mapping[str, Response], declared: Collection[str], problems: Problems) -> Step:
    if not isinstance(step, Collect):
        return step
    utter = step.utter or f"utter_ask_{step.slot}"
    ask = f"action_ask_{step.slot}" if f"action_ask_{step.slot}" in declared else None
    if ask and utter in responses:
        problems.at(flow.file, step.line, f"slot '{step.slot}' has both '{utter}' and '{ask}'; keep one")
    if not ask and utter not in responses:
        problems.at(flow.file, step.line, f"there is no response '{utter}'")
    validate = f"validate_{step.slot}"
    return replace(step, utter=None if ask else utter, ask_action=ask, validate_action=validate if validate in declared else None)


def _unknown(step: Step, flows: Mapping[str, Flow], slots: Mapping[str, Slot], responses: Mapping[str, Response]) -> Iterable[str]:
    """Yield a sentence for each name in `step` that nothing has."""
    if isinstance(step, Link | Call) and step.flow not in flows:
        yield f"there is no flow '{step.flow}'"
    if isinstance(step, Action):
        if step.name.startswith("utter_") and step.name not in responses:
            yield f"there is no response '{step.name}'"
        elif not step.name.startswith(("utter_", "action_", "validate_")):
            yield f"'{step.name}' is neither a response (utter_…) nor an action (action_…)"
    if isinstance(step, SetSlots):
        yield from (f"there is no slot '{name}'" for name, _ in step.values if name not in slots)
    if isinstance(step, Collect):
        if step.slot not in slots:
            yield f"there is no slot '{step.slot}'"
        if step.options_from is not None and step.options_from not in slots:
            yield f"there is no slot '{step.options_from}'"
        for name in (*step.retry_utter, *(rejection.utter for rejection in step.rejections)):
            if name not in responses:
                yield f"there is no response '{name}'"
        if isinstance(step.on_fail, str) and step.on_fail not in _WAYS_OUT and step.on_fail not in flows:
            yield f"on_fail '{step.on_fail}' is no step, no flow and none of {', '.join(sorted(_WAYS_OUT))}"
        if isinstance(step.on_timeout, str) and step.on_timeout not in {"remind_once", "expire"}:
            yield f"on_timeout '{step.on_timeout}' is no step and none of remind_once, expire"


def _owned(flow: Flow, flows: Mapping[str, Flow], slots: Mapping[str, Slot], above: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Return the slots that `flow` and the flows it calls fill, in order of appearance; a secret is never persisted."""
    names: dict[str, None] = {}
    for step in flow.steps:
        if isinstance(step, Collect):
            names[step.slot] = None
            if flow.pattern and step.options_from is not None:
                names[step.options_from] = None
        elif isinstance(step, SetSlots):
            names.update(dict.fromkeys(name for name, _ in step.values))
        elif isinstance(step, Call) and step.flow in flows and step.flow not in above:
            names.update(dict.fromkeys(_owned(flows[step.flow], flows, slots, above | {flow.id})))
    return tuple(name for name in names if name in slots and (name not in flow.persisted or slots[name].sensitive))


def actions_of(flow: Flow) -> Iterable[str]:
    """Yield the custom actions that a flow names or implies."""
    for step in flow.steps:
        if isinstance(step, Action) and not step.name.startswith("utter_") and step.name not in BUILT_IN:
            yield step.name
        if isinstance(step, Collect):
            yield from (name for name in (step.ask_action, step.validate_action) if name)


def asked_of(flow: Flow) -> Iterable[str]:
    """Yield the slots that a flow asks people for."""
    return (step.slot for step in flow.steps if isinstance(step, Collect))


def intents_of(flows: Mapping[str, Flow]) -> dict[str, tuple[tuple[str, float | None], ...]]:
    """Return the flows that each intent starts, with thresholds of their own."""
    found: dict[str, tuple[tuple[str, float | None], ...]] = {}
    for flow in flows.values():
        for trigger in flow.triggers:
            found[trigger.intent] = (*found.get(trigger.intent, ()), (flow.id, trigger.threshold))
    return found


def check_settings(project: Project, settings: Map, problems: Problems) -> None:
    """Note names in `gateway.yml` that nothing has."""
    if project.start_flow not in project.flows:
        problems.add(settings, f"start_flow: there is no flow '{project.start_flow}'", "start_flow")
    if project.auth_flow is not None and project.auth_flow not in project.flows:
        problems.add(settings, f"auth_flow: there is no flow '{project.auth_flow}'", "auth_flow")
    named = {flow.queue for flow in project.flows.values()}
    for name in project.queue_hours:
        if name not in named:
            problems.add(settings, f"queues: no flow names the queue '{name}'", "queues")
    for name in project.proofs & project.asked:
        problems.add(settings, f"slots: '{name}' is a proof, so no flow may ask people for it", "slots")
    for name in project.remember:
        if name not in project.slots:
            problems.add(settings, f"remember: there is no slot '{name}'", "remember")
