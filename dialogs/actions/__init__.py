"""The bridge from a flow's `action` steps to the outside world: everything here runs between turns, never inside one."""

from dialogs.actions.context import ActionContext, ActionPerson, Backend, BackendUnavailable, Refused
from dialogs.actions.loading import ActionsWrong, LoadedActions, load_actions
from dialogs.actions.runner import ActionRunner

__all__ = [
    "ActionContext",
    "ActionPerson",
    "ActionRunner",
    "ActionsWrong",
    "Backend",
    "BackendUnavailable",
    "LoadedActions",
    "Refused",
    "load_actions",
]
