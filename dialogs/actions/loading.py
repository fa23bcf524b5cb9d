"""Finds a project's actions: `actions.py`, or a package `actions/`, beside its flows.

A plain action is a function whose name begins with `action_` or `validate_`, written in that module. A rasa-sdk action is a
subclass of its `Action` written there: not any subclass that happens to be alive in the process, and with an import that fails
being reported rather than ending the process. rasa-sdk itself is touched only if the project's own code has imported it.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import Any

PlainAction = Callable[[Any], Any]
_PREFIXES = ("action_", "validate_")


class ActionsWrong(Exception):
    """The project's actions cannot be loaded; each of `problems` is a sentence with file and line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class LoadedActions:
    """The actions of one project by name: functions, and instances of rasa-sdk's `Action`."""

    plain: Mapping[str, PlainAction] = field(default_factory=dict)
    rasa: Mapping[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """The names that a flow may use."""
        return frozenset(self.plain) | frozenset(self.rasa)


def load_actions(folder: Path) -> LoadedActions:
    """Load the actions beside the flows of `folder`; none is fine. Raises `ActionsWrong`."""
    places = [place for place in (folder / "actions.py", folder / "actions" / "__init__.py") if place.is_file()]
    if len(places) > 1:
        raise ActionsWrong([f"{folder}: has both actions.py and actions/; keep one of them"])
    plain: dict[str, PlainAction] = {}
    rasa: dict[str, Any] = {}
    problems: list[str] = []
    for module in (module for place in places for module in _import(place)):
        for name, thing in _actions_of(module, problems):
            if name in plain or name in rasa:
                problems.append(f"{_where(module, thing)}: the action {name} is defined twice")
            elif inspect.isfunction(thing):
                plain[name] = thing
            else:
                rasa[name] = thing
    if problems:
        raise ActionsWrong(problems)
    return LoadedActions(plain, rasa)


def _import(place: Path) -> list[ModuleType]:
    """Import a file, or a package with all its modules, under a name of its own."""
    name = "parley_project_" + blake2b(str(place.resolve()).encode(), digest_size=6).hexdigest()
    package = [str(place.parent)] if place.name == "__init__.py" else None
    spec = importlib.util.spec_from_file_location(name, place, submodule_search_locations=package)
    if spec is None or spec.loader is None:
        raise ActionsWrong([f"{place}: is not a Python file"])
    for stale in [known for known in sys.modules if known == name or known.startswith(f"{name}.")]:
        del sys.modules[stale]
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        inner = [found.name for found in pkgutil.walk_packages(package, f"{name}.", onerror=_reraise)] if package else []
        return [module, *map(importlib.import_module, inner)]
    except Exception as error:
        raise ActionsWrong([_import_problem(place, error)]) from error


def _reraise(_name: str) -> None:
    raise  # noqa: PLE0704 - called by walk_packages while it handles the error


def _import_problem(place: Path, error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {error.msg}"
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(place.parent)]
    where = f"{ours[-1].filename}:{ours[-1].lineno}" if ours else str(place)
    return f"{where}: {type(error).__name__}: {error}"


def _actions_of(module: ModuleType, problems: list[str]) -> list[tuple[str, Any]]:
    rasa_action = getattr(sys.modules.get("rasa_sdk.interfaces"), "Action", None)
    found: list[tuple[str, Any]] = []
    for name, thing in vars(module).items():
        if getattr(thing, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(thing) and name.startswith(_PREFIXES):
            if len(inspect.signature(thing).parameters) != 1:
                problems.append(f"{_where(module, thing)}: {name} must take one argument, the context")
            found.append((name, thing))
        elif rasa_action is not None and inspect.isclass(thing) and issubclass(thing, rasa_action) and not inspect.isabstract(thing):
            try:
                action: Any = thing()
                found.append((action.name(), action))
            except Exception as error:  # noqa: BLE001 - foreign code; the reason goes into the report
                problems.append(f"{_where(module, thing)}: {name} cannot be made: {type(error).__name__}: {error}")
    return found


def _where(module: ModuleType, thing: Any) -> str:
    target = thing if inspect.isfunction(thing) or inspect.isclass(thing) else type(thing)
    return f"{module.__file__}:{inspect.getsourcelines(target)[1]}"
