"""Rules about flows as a whole: who starts them, what they call and link, what they keep, what they pay."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from core.model.address import Strength
from core.model.capabilities import Family
from dialogs.linter_findings import Findings
from dialogs.model import Action, Call, Collect, Flow, Link, Project, SetSlots

_DEPTH_MAX = 8
_FAMILIES = frozenset(map(str, Family))


def lint(project: Project, found: Findings) -> None:
    """Note what is wrong with single flows and with how they refer to each other."""
    called = {step.flow for flow in project.flows.values() for step in flow.steps if isinstance(step, Call)}
    for flow in project.flows.values():
        _persisted(flow, found)
        _risk(flow, found)
        if flow.id in called:
            _no_links(flow, found)
        for name in sorted(flow.channels - _FAMILIES):
            text = f"flow '{flow.id}' is for the channel '{name}', which is none of {', '.join(sorted(_FAMILIES))}"
            found.error("unknown-channel", flow.file, flow.line, text)
        if flow.auth > Strength.CLAIMED and project.auth_flow is None:
            text = f"flow '{flow.id}' needs authentication, but gateway.yml names no auth_flow"
            found.warning("no-auth-flow", flow.file, flow.line, text)
        for step in flow.steps:
            if isinstance(step, Call) and flow.pattern:
                found.error("pattern-calls", flow.file, step.line, f"the pattern '{flow.id}' may not call another flow")
    _recursion(project, found)
    _triggers(project, found)
    _startable(project, called, found)


def lint_actions(project: Project, provided: Collection[str], found: Findings) -> None:
    """Note every action that a flow names and nobody provides."""
    for flow in project.flows.values():
        for step in flow.steps:
            names = (
                [step.name] if isinstance(step, Action) else [step.ask_action, step.validate_action] if isinstance(step, Collect) else []
            )
            for name in names:
                if name in project.actions and name not in provided:
                    found.error("unknown-action", flow.file, step.line, f"nobody provides the action '{name}'")


def _persisted(flow: Flow, found: Findings) -> None:
    filled = {step.slot for step in flow.steps if isinstance(step, Collect)}
    filled |= {name for step in flow.steps if isinstance(step, SetSlots) for name, _ in step.values}
    for name in sorted(flow.persisted - filled):
        text = f"persisted slot '{name}' is filled by no collect or set_slots step of flow '{flow.id}'"
        found.error("persisted-slot", flow.file, flow.line, text)


def _risk(flow: Flow, found: Findings) -> None:
    if flow.risk == "none":
        return
    asks = any(
        isinstance(step, Collect) and (step.confirm == "always" or (step.type == "yesno" and step.ask_before_filling))
        for step in flow.steps
    )
    if not asks:
        text = f"flow '{flow.id}' has risk '{flow.risk}' but never asks for a confirmation (a yes-or-no collect with ask_before_filling)"
        found.warning("no-confirmation", flow.file, flow.line, text)


def _no_links(flow: Flow, found: Findings) -> None:
    for step in flow.steps:
        if isinstance(step, Link):
            found.error("link-in-called-flow", flow.file, step.line, f"flow '{flow.id}' is called by another, so it may not link")


def _recursion(project: Project, found: Findings) -> None:
    def walk(flow: Flow, path: tuple[str, ...]) -> None:
        for step in flow.steps:
            if not isinstance(step, Call) or step.flow not in project.flows:
                continue
            if step.flow in path:
                found.error("recursion", flow.file, step.line, "flows call each other in a circle: " + " -> ".join((*path, step.flow)))
            elif len(path) >= _DEPTH_MAX:
                found.error("too-deep", flow.file, step.line, f"flows are called more than {_DEPTH_MAX} deep: " + " -> ".join(path))
            else:
                walk(project.flows[step.flow], (*path, step.flow))

    for flow in project.flows.values():
        walk(flow, (flow.id,))


def _triggers(project: Project, found: Findings) -> None:
    known = {example.intent for example in project.examples}
    for intent, targets in project.intents.items():
        flows = [project.flows[name] for name, _ in targets]
        unguarded = [flow for flow in flows if flow.guard is None and not flow.never]
        for flow in unguarded[1:]:
            text = f"intent '{intent}' also starts flow '{unguarded[0].id}'; only one of them will ever start"
            found.error("same-intent", flow.file, flow.line, text)
        if intent not in known:
            found.warning("no-examples", flows[0].file, flows[0].line, f"intent '{intent}' has no examples, so nobody can say it")


def _startable(project: Project, called: Collection[str], found: Findings) -> None:
    targets = {*called, project.start_flow, project.auth_flow, *_targets(project)}
    for flow in project.flows.values():
        if flow.pattern or flow.id in targets:
            continue
        if flow.never:
            text = f"flow '{flow.id}' can never start: its guard is false and no flow calls or links it"
            found.error("never-starts", flow.file, flow.line, text)
        elif not flow.triggers:
            text = f"flow '{flow.id}' is started by no intent, button, link or call"
            found.warning("never-starts", flow.file, flow.line, text)


def _targets(project: Project) -> Iterable[str]:
    for flow in project.flows.values():
        for step in flow.steps:
            if isinstance(step, Link):
                yield step.flow
            if isinstance(step, Collect) and isinstance(step.on_fail, str):
                yield step.on_fail
    for response in project.responses.values():
        for candidates in response.candidates.values():
            for candidate in candidates:
                for button in candidate.buttons:
                    if button.kind == "intent":
                        yield (button.text.literal or "").removeprefix("start_")
