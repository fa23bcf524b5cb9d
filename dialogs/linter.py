"""Finds what is wrong or unwise in a project before customers do: everything at once, with file and line.

`lint` looks at a project that has been loaded; `check` also reports what keeps a folder from being loaded. Neither runs a flow.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from core.record_actions import RECORD_ACTIONS
from dialogs import linter_files, linter_flows, linter_paths, linter_texts, linter_values
from dialogs.actions import ActionsWrong, load_actions
from dialogs.linter_findings import Finding, Findings, Level
from dialogs.loader import ProjectWrong, load_project
from dialogs.model import Project

__all__ = ["Finding", "Level", "check", "lint"]


def lint(project: Project, provided: Collection[str] | None = None) -> list[Finding]:
    """Return the findings of a loaded project, in the order of files and lines. `provided` names its custom actions, if known."""
    found = Findings()
    linter_flows.lint(project, found)
    linter_paths.lint(project, found)
    linter_values.lint(project, found)
    linter_texts.lint(project, found)
    if provided is not None:
        linter_flows.lint_actions(project, {*provided, *RECORD_ACTIONS}, found)
    return found.sorted()


def check(folder: Path) -> list[Finding]:
    """Return all findings of a project folder; one that cannot be loaded is a finding too."""
    found = Findings()
    linter_files.lint(folder, found)
    provided: Collection[str] | None = None
    try:
        provided = load_actions(folder).names
    except ActionsWrong as wrong:
        for problem in wrong.problems:
            place, _, text = problem.removeprefix(f"{folder}/").partition(": ")
            file, _, line = place.partition(":")
            found.error("actions", file, int(line) if line.isdigit() else 1, text)
    try:
        more = lint(load_project(folder), provided)
    except ProjectWrong as wrong:
        more = [Finding(mistake.file, mistake.line, "structure", mistake.text) for mistake in wrong.problems]
    return sorted([*more, *found.sorted()])
