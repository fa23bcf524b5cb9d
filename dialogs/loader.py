"""Loads a project folder: reads every file, compiles it, and reports all mistakes at once with file and line.

The patterns of the package come first, so a project redefines one by giving its name. What is merely unwise is the linter's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

from core.model.address import Strength
from dialogs.hours import load_hours, load_queue_hours
from dialogs.load_domain import ResponseCompiler, load_slots
from dialogs.load_settings import (
    FLOW_SETTINGS,
    SETTINGS_KEYS,
    known_families,
    load_examples,
    load_limits,
    load_words,
    load_zone,
)
from dialogs.load_steps import StepCompiler
from dialogs.model import Flow, Project, Response, Slot, Trigger
from dialogs.resolve import actions_of, asked_of, check_settings, intents_of, resolve
from dialogs.source import Map, Problems, ProjectWrong, Seq, read_file

__all__ = ["ProjectWrong", "load_project"]

_PATTERNS = Path(__file__).parent / "patterns"
_FLOW_KEYS = {
    "name", "description", "steps", "if", "nlu_trigger", "persisted_slots", "run_pattern_completed", "always_include_in_prompt",
    "translation",
}  # fmt: skip
_TOP_KEYS = {
    "version", "flows", "slots", "responses", "intents", "entities", "actions", "session_config", "forms", "e2e_actions", "nlu", "rules",
    "stories", "config",
}  # fmt: skip
_IGNORED_FILES = {"endpoints", "credentials", "config"}
_FLOW_ID = re.compile(r"[A-Za-z0-9_][\w-]*\Z")


class _Files:
    """The mappings of all files of a folder by what they hold."""

    def __init__(self) -> None:
        self.flows: list[Map] = []
        self.slots: list[Map] = []
        self.responses: list[Map] = []
        self.nlu: list[Seq] = []
        self.words: list[Map] = []
        self.actions: set[str] = set()
        self.settings = Map("gateway.yml", 1)

    def read(self, folder: Path, prefix: str, problems: Problems) -> None:
        for path in sorted((*folder.rglob("*.yml"), *folder.rglob("*.yaml"))):
            name = prefix + path.relative_to(folder).as_posix()
            if path.stem in _IGNORED_FILES:
                continue
            node = read_file(path, name, problems)
            if path.stem == "gateway":
                self.settings = node
            elif path.stem == "words":
                self.words.append(node)
            else:
                problems.unknown(node, _TOP_KEYS, "a project file")
                for key in ("flows", "slots", "responses"):
                    if key in node:
                        getattr(self, key).append(problems.mapping(node, key, "the file"))
                if "nlu" in node:
                    self.nlu.append(problems.sequence(node, "nlu", "the file"))
                self.actions.update(str(item) for item in problems.sequence(node, "actions", "the file"))


def load_project(folder: Path) -> Project:
    """Load and compile the project in `folder`. Raises `ProjectWrong` with every mistake found."""
    problems = Problems()
    files = _Files()
    files.read(_PATTERNS, "patterns/", problems)
    if not folder.is_dir():
        problems.at(str(folder.name), 1, "there is no such folder")
    files.read(folder, "", problems)
    settings = files.settings
    problems.unknown(settings, SETTINGS_KEYS, "gateway.yml")
    if "words" in settings:
        files.words.append(problems.mapping(settings, "words", "gateway.yml"))
    languages = tuple(str(item) for item in problems.sequence(settings, "languages", "gateway.yml")) or ("en",)
    slots = load_slots(files.slots, files.flows, problems.mapping(settings, "slots", "gateway.yml"), problems)
    responses = ResponseCompiler(slots, languages, known_families(settings, problems), problems).load(files.responses)
    flows = _flows(files, slots, responses, problems)
    examples, synonyms = load_examples(files.nlu, problems)
    project = Project(
        flows=flows,
        slots=slots,
        responses=responses,
        examples=examples,
        intents=intents_of(flows),
        synonyms=synonyms,
        words=load_words(files.words, languages, problems),
        limits=load_limits(settings, problems),
        languages=languages,
        start_flow=problems.value(settings, "start_flow", (str,), "gateway.yml", "start"),
        auth_flow=problems.value(settings, "auth_flow", (str,), "gateway.yml"),
        language_slot=problems.value(settings, "language_slot", (str,), "gateway.yml", "language"),
        remember=frozenset(str(item) for item in problems.sequence(settings, "remember", "gateway.yml")),
        actions=frozenset(name for flow in flows.values() for name in actions_of(flow)),
        asked=frozenset(name for flow in flows.values() for name in asked_of(flow)),
        zone=load_zone(settings, problems),
        proofs=frozenset(name for name, slot in slots.items() if slot.proof),
        hours=load_hours(settings, "hours", "gateway.yml", problems),
        queue_hours=load_queue_hours(settings, problems),
    )
    check_settings(project, settings, problems)
    problems.raise_if_any()
    return project


def _flows(files: _Files, slots: Mapping[str, Slot], responses: Mapping[str, Response], problems: Problems) -> dict[str, Flow]:
    settings = problems.mapping(files.settings, "flows", "gateway.yml")
    nodes: dict[str, Map] = {}
    for node in files.flows:
        for flow_id in node:
            if not _FLOW_ID.match(flow_id):
                problems.add(node, f"flow id '{flow_id}' has other characters than letters, digits, _ and -", flow_id)
            nodes[flow_id] = problems.mapping(node, flow_id, "flows")
    for flow_id in settings:
        if flow_id not in nodes:
            problems.add(settings, f"there is no flow '{flow_id}'", flow_id)
    flows = {
        flow_id: _flow(flow_id, node, problems.mapping(settings, flow_id, "flows"), slots, problems) for flow_id, node in nodes.items()
    }
    return resolve(flows, slots, responses, files.actions, problems)


def _flow(flow_id: str, node: Map, settings: Map, slots: Mapping[str, Slot], problems: Problems) -> Flow:
    what = f"flow '{flow_id}'"
    problems.unknown(node, _FLOW_KEYS, what)
    problems.unknown(settings, FLOW_SETTINGS, what)
    value = problems.value
    if not value(node, "description", (str,), what):
        problems.add(node, f"{what} needs a description")
    compiler = StepCompiler(flow_id, slots, problems.mapping(settings, "steps", what), problems)
    steps = compiler.compile(problems.sequence(node, "steps", what))
    if not steps:
        problems.add(node, f"{what} needs steps")
    guard = node.get("if", True)
    names = {"": str(node.get("name", flow_id.replace("_", " ")))}
    for language, texts in problems.mapping(node, "translation", what).items():
        names[language] = str(texts.get("name", names[""])) if isinstance(texts, Map) else str(texts)
    auth = value(settings, "auth", (str,), what, "claimed")
    if auth.upper() not in Strength.__members__:
        problems.add(settings, f"{what}: auth is one of claimed, network, proved, checked", "auth")
        auth = "claimed"
    ttl = value(settings, "ttl", (int, float), what)
    return Flow(
        id=flow_id,
        names=names,
        description=str(node.get("description", "")),
        steps=steps,
        index=compiler.index,
        version=blake2b(json.dumps(node, default=str).encode(), digest_size=6).hexdigest(),
        file=node.file,
        line=node.line,
        guard=compiler.condition(guard, node, "if") if guard not in (True, False) else None,
        never=guard is False,
        triggers=_triggers(node, problems),
        persisted=frozenset(str(name) for name in problems.sequence(node, "persisted_slots", what)),
        completed=value(node, "run_pattern_completed", (bool,), what, default=True),
        pattern=flow_id.startswith("pattern_"),
        channels=frozenset(str(name) for name in problems.sequence(settings, "channels", what)),
        auth=Strength[auth.upper()],
        risk=_one_of(settings, "risk", ("none", "money", "irreversible"), problems),
        resume=_one_of(settings, "resume", ("any", "same_channel", "never"), problems),
        ttl_s=float(ttl) if ttl is not None else None,
        queue=value(settings, "queue", (str,), what),
        hours=load_hours(settings, "hours", what, problems),
    )


def _one_of(settings: Map, key: str, allowed: tuple[str, ...], problems: Problems) -> Any:
    found = settings.get(key, allowed[0])
    if found not in allowed:
        problems.add(settings, f"'{key}' is one of {', '.join(allowed)}", key)
        return allowed[0]
    return found


def _triggers(node: Map, problems: Problems) -> tuple[Trigger, ...]:
    found = []
    for item in problems.sequence(node, "nlu_trigger", "flow"):
        intent = item.get("intent") if isinstance(item, Map) else None
        if isinstance(intent, Map):
            found.append(Trigger(str(intent.get("name")), problems.value(intent, "confidence_threshold", (int, float), "nlu_trigger")))
        elif isinstance(intent, str):
            found.append(Trigger(intent))
        else:
            problems.add(node, "nlu_trigger is a list of 'intent: name'", "nlu_trigger")
    return tuple(found)
