"""Projects written by a test, with a runner of their actions."""

import textwrap

import pytest

from dialogs.actions import ActionRunner, load_actions
from tests.dialogs.actions.acting import Billing


@pytest.fixture
def project(tmp_path):
    """Write files, return a runner of what they hold."""
    runners = []

    def make(text, *, name="actions.py", backend=None, **options):
        place = tmp_path / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(textwrap.dedent(text))
        runner = ActionRunner(load_actions(tmp_path), backend or Billing(), retry_pause_s=0, **options)
        runners.append(runner)
        return runner

    yield make
    for runner in runners:
        runner.close()
