"""The bridge with rasa-sdk actions, and the traps that it keeps shut."""

import asyncio
import logging

import pytest

from core.model.dialog import ActionDone
from tests.dialogs.actions.acting import PERSON, RASA, call


async def test_a_rasa_action_runs_with_tracker_and_dispatcher_and_changes_nothing_by_reference(project):
    slots = {"name": "Amina"}
    runner = project(RASA, domain={"slots": {"name": {"type": "text"}}})
    done = await runner.run(call("action_greet", slots), PERSON)
    assert done.error is None
    assert [(event["event"], event.get("value")) for event in done.events] == [
        ("slot", ["party-1", "+254722000111", "key-1"]),
        ("pause", None),
    ]
    assert done.responses == ({"template": "utter_hello", "response": "utter_hello", "name": "Amina"}, {"text": "again"})
    assert slots == {"name": "Amina"}
    seen = await runner.run(call("action_domain", slots), PERSON)
    assert seen.events[0]["value"] == {"type": "text"}, "one action changed the domain of another"


@pytest.mark.parametrize(("name", "error"), [("action_reject", "refused:rejected"), ("action_hang", "timeout"), ("action_break", "failed")])
async def test_a_rasa_action_fails_with_the_same_codes(project, caplog, name, error):
    runner = project(RASA)
    with caplog.at_level(logging.DEBUG, "parley"):
        done = await runner.run(call(name, {"name": "Amina"}, timeout_s=2 if name != "action_hang" else 0.05), PERSON)
    assert done == ActionDone("key-1", name, error=error)
    assert "Amina" not in caplog.text


async def test_a_rasa_action_that_blocks_inside_its_coroutine_stalls_nobody(project):
    runner = project("""
        import threading
        from rasa_sdk import Action
        started, go = threading.Event(), threading.Event()

        class Block(Action):
            def name(self):
                return "action_block"

            async def run(self, dispatcher, tracker, domain):
                started.set()
                assert go.wait(10)
                return []

        async def action_release(context):
            assert started.wait(10)
            go.set()
    """)
    done = await asyncio.gather(runner.run(call("action_block"), PERSON), runner.run(call("action_release"), PERSON))
    assert [one.error for one in done] == [None, None]
