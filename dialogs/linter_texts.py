"""Rules about texts: too long for a channel, untranslated, with a variable that nothing fills, or teaching words that opt people out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from core.text.segments import Encoding, measure
from dialogs.linter_findings import Findings
from dialogs.model import Action, Candidate, Collect, Flow, Project, Response
from dialogs.normal import normal
from dialogs.templates import Template

USSD_CHARS, USSD_UCS2_CHARS, SMS_PARTS, VOICE_WORDS, VOICE_OPTIONS = 160, 80, 3, 50, 10
VOICE_UNSPOKEN = frozenset("*#_~^|\\<>[]{}")
_VALUE = "x" * 12  # what a variable is taken to be, where its values are not known
_FAMILIES = ("ussd", "sms", "ivr")
_ASKED_TO_SEND = r"\b(?:reply|send|text|write|type|répondez|envoyez|tapez|écrivez|tuma|jibu|andika)\b[^.!?]{{0,24}}?\b(?:{words})\b"


def lint(project: Project, found: Findings) -> None:
    """Note what is wrong with responses, each on the channels of the flows that use it."""
    used = _used(project)
    teaching = _teaching(project)
    default_context = {
        part.name
        for response in project.responses.values()
        if response.file.startswith("patterns/")
        for variation in response.variations
        for text in variation.texts.values()
        for part in text.variables
    }
    for response in project.responses.values():
        _channels(response, found)
        _translations(project, response, found)
        if response.name in used:
            _variables(project, response, default_context, found)
        families = used.get(response.name, frozenset(_FAMILIES))
        for (family, language), candidates in _reached(project, response, families).items():
            for candidate in candidates:
                _length(project, response, family, language, candidate, found)
                _words(project, response, family, candidate, teaching, found)


def _used(project: Project) -> dict[str, frozenset[str]]:
    """Return the responses that flows name, with the families on which their flows may run."""
    found: dict[str, frozenset[str]] = {}
    for flow in project.flows.values():
        families = frozenset(_FAMILIES) & flow.channels if flow.channels else frozenset(_FAMILIES)
        for name in _named(project, flow):
            found[name] = found.get(name, frozenset()) | families
    return found


def _named(project: Project, flow: Flow) -> Iterator[str]:
    for step in flow.steps:
        if isinstance(step, Action) and step.name.startswith("utter_"):
            yield step.name
        if isinstance(step, Collect):
            rules = (*step.rejections, *project.slots[step.slot].rejections)
            yield from (name for name in (step.utter, *step.retry_utter, *(rule.utter for rule in rules)) if name is not None)
            if f"utter_help_{step.slot}" in project.responses:
                yield f"utter_help_{step.slot}"


def _channels(response: Response, found: Findings) -> None:
    if all(variation.channel is not None for variation in response.variations):
        text = f"response '{response.name}' has no variation for channels in general"
        found.error("no-general-variation", response.file, response.line, text)
    elif all(variation.channel is not None or variation.conditional for variation in response.variations):
        text = f"response '{response.name}' has no variation without a condition; where none holds, nothing can be said"
        found.warning("only-conditional", response.file, response.line, text)


def _translations(project: Project, response: Response, found: Findings) -> None:
    for variation in response.variations:
        missing = [language for language in project.languages if language not in variation.texts]
        if missing and variation.texts[""].literal != "":
            text = f"response '{response.name}' is not translated into {', '.join(missing)}"
            found.warning("no-translation", response.file, variation.line, text)


def _variables(project: Project, response: Response, allowed: set[str], found: Findings) -> None:
    for variation in response.variations:
        for text in variation.texts.values():
            for part in text.variables:
                if not part.of_context and part.name not in project.slots and part.name not in allowed:
                    found.error(
                        "unknown-variable", response.file, variation.line, f"response '{response.name}': there is no slot '{part.name}'"
                    )


def _reached(project: Project, response: Response, families: frozenset[str]) -> dict[tuple[str, str], tuple[Candidate, ...]]:
    """Return the variations that may be said on each family: its own where there are any, and the general ones they may step back to."""
    table = response.candidates
    return {
        (family, language): _preferred(table.get((family, language)) or table["", language], table["", language])
        for family in families
        for language in project.languages
    }


def _preferred(candidates: tuple[Candidate, ...], general: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """Drop the general variations behind one of the channel's own that can always be said."""
    kept: list[Candidate] = []
    for candidate in candidates:
        kept.append(candidate)
        if candidate not in general and candidate.when is None and candidate.text.literal is not None:
            break
    return tuple(kept)


def _shown(project: Project, text: Template) -> str:
    """Return the text at the length that it is likely to have."""
    return (
        text.literal
        if text.literal is not None
        else "".join(part if isinstance(part, str) else _longest(project, part.name) for part in text.parts)
    )


def _longest(project: Project, name: str) -> str:
    slot = project.slots.get(name)
    return max(slot.values, key=len) if slot is not None and slot.values else _VALUE


def _length(project: Project, response: Response, family: str, language: str, candidate: Candidate, found: Findings) -> None:
    text = _shown(project, candidate.text)
    titles = [_shown(project, button.title) for button in candidate.buttons]
    lines = [f"{number} {title}" for number, title in enumerate(titles, 1)]
    where = f"response '{response.name}' in '{language}'"
    if family == "ussd":
        size = measure("\n".join([text, *lines]))
        limit = USSD_CHARS if size.encoding is Encoding.GSM7 else USSD_UCS2_CHARS
        widest = max((measure(line).units for line in lines), default=0)
        if measure(text).units > limit or widest > limit:
            found.error("too-long-ussd", response.file, response.line, f"{where} has more than the {limit} characters of a USSD screen")
        elif size.units > limit:
            found.warning("ussd-pages", response.file, response.line, f"{where} needs more than one USSD screen with its options")
        if size.encoding is Encoding.UCS2:
            found.warning(
                "not-gsm7", response.file, response.line, f"{where} has characters outside the GSM alphabet: '{_foreign(text, lines)}'"
            )
    elif family == "sms" and measure("\n".join([text, *lines])).parts > SMS_PARTS:
        found.error("too-long-sms", response.file, response.line, f"{where} takes more than {SMS_PARTS} short messages")
    elif family == "ivr":
        if len(text.split()) > VOICE_WORDS:
            found.error("too-long-voice", response.file, response.line, f"{where} has more than {VOICE_WORDS} words, about 20 seconds")
        if len(titles) > VOICE_OPTIONS:
            text = f"{where} has more than {VOICE_OPTIONS} options to listen to: a caller would have to ask for more of them twice"
            found.warning("voice-options", response.file, response.line, text)
        signs = "".join(sorted(set("".join([text, *titles])) & VOICE_UNSPOKEN))
        if signs:
            found.warning("unspoken-signs", response.file, response.line, f"{where} has '{signs}', which nobody hears: say it in words")


def _foreign(text: str, lines: list[str]) -> str:
    return "".join(sorted({character for character in text + "".join(lines) if measure(character).encoding is Encoding.UCS2}))


def _teaching(project: Project) -> Mapping[str, re.Pattern[str]]:
    """Return, by family, what tells people to send a word that opts them out."""
    return {
        family: re.compile(_ASKED_TO_SEND.format(words="|".join(sorted(map(re.escape, words), key=len, reverse=True))), re.IGNORECASE)
        for family, words in ((family, project.words.stop.get(family) or project.words.stop[""]) for family in _FAMILIES)
        if words
    }


def _words(
    project: Project, response: Response, family: str, candidate: Candidate, teaching: Mapping[str, re.Pattern[str]], found: Findings
) -> None:
    stop = project.words.stop.get(family) or project.words.stop[""]
    taught = teaching[family].search(_shown(project, candidate.text)) if family in teaching else None
    if taught is not None:
        text = f"response '{response.name}' tells people to send '{taught[0]}', which opts them out"
        found.error("teaches-opt-out", response.file, response.line, text)
    for button in candidate.buttons:
        title = button.title.literal or ""
        if normal(title) in stop:
            text = f"option '{title}' of response '{response.name}' opts people out when they type it"
            found.error("option-opts-out", response.file, response.line, text)
