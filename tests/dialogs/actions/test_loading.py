"""Which actions a project has, and what is said of those that cannot be loaded."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from dialogs.actions import ActionsWrong, load_actions
from tests.dialogs.actions.acting import RASA


def test_only_the_actions_of_the_project_are_taken(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "actions.py").write_text(textwrap.dedent(RASA))
    (tmp_path / "b" / "actions.py").write_text(
        "from json import loads as action_loads\ndef action_mine(context): ...\ndef helper(a, b): ...\n"
    )
    assert load_actions(tmp_path / "a").names == {"action_greet", "action_domain", "action_reject", "action_hang", "action_break"}
    assert load_actions(tmp_path / "b").names == {"action_mine"}
    assert load_actions(tmp_path).names == frozenset()


def test_a_package_may_be_split_over_modules(tmp_path):
    package = tmp_path / "actions"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "shared.py").write_text("CODE = 3\n")
    (package / "billing.py").write_text("from .shared import CODE\ndef action_bill(context): return {'code': CODE}\n")
    actions = load_actions(tmp_path)
    assert actions.names == {"action_bill"}
    assert actions.plain["action_bill"](None) == {"code": 3}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("import module_that_is_not_there\n", "actions.py:1: ModuleNotFoundError"),
        ("x = 1\ny = x / 0\n", "actions.py:2: ZeroDivisionError"),
        ("def action_a(context):\n    return (\n", "actions.py:2: "),
        ("x = 1\ndef action_a(): ...\n", "actions.py:2: action_a must take one argument"),
        (
            "from rasa_sdk import Action\nclass Twice(Action):\n    def name(self): return 'action_a'\ndef action_a(context): ...\n",
            "actions.py:4: the action action_a is defined twice",
        ),
        (
            "from rasa_sdk import Action\nclass Needy(Action):\n    def __init__(self, x): ...\n    def name(self): return 'action_a'\n",
            "actions.py:2: Needy cannot be made: TypeError",
        ),
    ],
)
def test_actions_that_cannot_be_loaded_are_reported_with_file_and_line(tmp_path, text, problem):
    (tmp_path / "actions.py").write_text(text)
    with pytest.raises(ActionsWrong) as caught:
        load_actions(tmp_path)
    assert caught.value.problems[0].startswith(f"{tmp_path}/{problem}")


def test_a_broken_module_of_a_package_and_a_doubled_place_are_reported(tmp_path):
    package = tmp_path / "actions"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "bad.py").write_text("1 / 0\n")
    with pytest.raises(ActionsWrong, match=r"bad\.py:1: ZeroDivisionError"):
        load_actions(tmp_path)
    (tmp_path / "actions.py").write_text("")
    with pytest.raises(ActionsWrong, match="keep one of them"):
        load_actions(tmp_path)


def test_rasa_sdk_is_not_imported_for_a_project_without_such_actions(tmp_path):
    (tmp_path / "actions.py").write_text("def action_a(context): ...\n")
    script = f"""
import sys
from pathlib import Path
from dialogs.actions import ActionRunner, load_actions
ActionRunner(load_actions(Path({str(tmp_path)!r})), None)
sys.exit(any(name.partition(".")[0] in ("rasa_sdk", "aiohttp") for name in sys.modules))
"""
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", script], cwd=root, check=False).returncode == 0
