"""Rules about the ways through flows: steps that cannot be reached, ways that lead nowhere, circles in which nobody is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dialogs.linter_findings import Findings
from dialogs.model import END, Action, Call, Collect, Flow, Link, Project, Step


def lint(project: Project, found: Findings) -> None:
    """Note what is wrong with the ways through each flow, and with chains of links."""
    silent = _silent_flows(project)
    for flow in project.flows.values():
        _reachable(flow, found)
        _ends(flow, found)
        _circles(flow, silent, found)
    _link_circles(project, silent, found)


def _ways(step: Step) -> Iterator[int]:
    """Yield where a step may lead, `END` included."""
    if isinstance(step, Link):
        return
    if isinstance(step.next, int):
        yield step.next
    else:
        yield from (branch.then for branch in step.next)
        if all(branch.when is not None for branch in step.next):
            yield END
    if isinstance(step, Action) and step.on_error is not None:
        yield step.on_error
    if isinstance(step, Collect):
        yield from (way for way in (step.on_fail, step.on_timeout) if isinstance(way, int))


def _reachable(flow: Flow, found: Findings) -> None:
    seen: set[int] = set()
    waiting = [0]
    while waiting:
        place = waiting.pop()
        if place != END and place not in seen:
            seen.add(place)
            waiting.extend(_ways(flow.steps[place]))
    for place, step in enumerate(flow.steps):
        if place not in seen:
            found.error("unreachable-step", flow.file, step.line, f"no way leads to step '{step.id}' of flow '{flow.id}'")


def _ends(flow: Flow, found: Findings) -> None:
    for step in flow.steps:
        if step.loose:
            text = f"step '{step.id}' is the last of a nested list and has no 'next': write a step id or END"
            found.error("nested-end", flow.file, step.line, text)
        if isinstance(step.next, tuple):
            unconditional = [place for place, branch in enumerate(step.next) if branch.when is None]
            if not unconditional:
                found.error("no-else", flow.file, step.line, f"the branches after step '{step.id}' have no 'else'")
            elif unconditional[0] != len(step.next) - 1:
                found.error("else-not-last", flow.file, step.line, f"the branches after the 'else' of step '{step.id}' are never taken")


def _waits(step: Step, silent: frozenset[str]) -> bool:
    """Tell whether a person is always heard before the dialog goes on after `step`."""
    return isinstance(step, Collect) or (isinstance(step, Call) and step.flow not in silent)


def _circles(flow: Flow, silent: frozenset[str], found: Findings) -> None:
    for start, step in enumerate(flow.steps):
        if not _waits(step, silent) and start in _reached_silently(flow, start, silent):
            text = f"step '{step.id}' of flow '{flow.id}' is in a circle in which nobody is asked"
            found.error("endless-circle", flow.file, step.line, text)


def _reached_silently(flow: Flow, start: int, silent: frozenset[str]) -> set[int]:
    """Return the steps that follow `start` without a person being asked."""
    seen: set[int] = set()
    waiting = list(_ways(flow.steps[start]))
    while waiting:
        place = waiting.pop()
        if place != END and place not in seen:
            seen.add(place)
            if not _waits(flow.steps[place], silent):
                waiting.extend(_ways(flow.steps[place]))
    return seen


def _silent_flows(project: Project) -> frozenset[str]:
    """Return the flows that can come to their end without asking anything."""
    silent: set[str] = set()
    while True:
        grown = {flow.id for flow in project.flows.values() if flow.id not in silent and _runs_through(flow, frozenset(silent))}
        if not grown:
            return frozenset(silent)
        silent |= grown


def _runs_through(flow: Flow, silent: frozenset[str]) -> bool:
    seen: set[int] = set()
    waiting = [0]
    while waiting:
        place = waiting.pop()
        if place == END:
            return True
        if place not in seen:
            seen.add(place)
            if not _waits(flow.steps[place], silent):
                waiting.extend(_ways(flow.steps[place]))
    return False


def _link_circles(project: Project, silent: frozenset[str], found: Findings) -> None:
    links: dict[str, dict[str, int]] = {}
    for flow in project.flows.values():
        if flow.steps:
            places = {0} if _waits(flow.steps[0], silent) else {0, *_reached_silently(flow, 0, silent)}
            links[flow.id] = {step.flow: step.line for place in places if isinstance(step := flow.steps[place], Link)}
    known: set[str] = set()
    for start, targets in links.items():
        for target, line in targets.items():
            circle = _linked(target, links)
            if start in circle and start not in known:
                known |= {name for name in circle if start in _linked(name, links)}
                text = f"flow '{start}' links to itself over '{target}' and asks nobody on the way"
                found.error("link-circle", project.flows[start].file, line, text)


def _linked(start: str, links: Mapping[str, Mapping[str, int]]) -> set[str]:
    """Return `start` and the flows that follow it over links without a person being asked."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(links.get(name, ()))
    return seen
