"""The bridge with real projects: plain functions and rasa-sdk actions, in bounded time, with a closed set of outcomes."""

import asyncio
import logging
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from core.model.capabilities import Family
from core.model.dialog import ActionDone, RunAction
from dialogs.actions import ActionPerson, ActionRunner, ActionsWrong, BackendUnavailable, load_actions

PERSON = ActionPerson("party-1", Family.USSD, "sw", msisdn="+254722000111", customer_no="C7")


class Billing:
    """A backend that answers what it was told to and keeps what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def request(self, method, path, *, json=None, key=None, timeout_s):
        self.asked.append((method, path, json, key, timeout_s))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


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


def call(name, slots=None, **more):
    return RunAction(name, "key-1", {"slots": slots or {}}, **more)


async def test_a_coroutine_gets_the_context_and_what_it_returns_becomes_slots(project):
    runner = project("""
        async def action_tell(context):
            who = context.person
            return {"told": [context.name, context.key, context.slots["a"], who.msisdn, who.language, str(who.family)], "left": None}
    """)
    done = await runner.run(call("action_tell", {"a": 1}), PERSON)
    told = ["action_tell", "key-1", 1, "+254722000111", "sw", "ussd"]
    slots = ({"event": "slot", "name": "told", "value": told}, {"event": "slot", "name": "left", "value": None})
    assert done == ActionDone("key-1", "action_tell", slots)


async def test_a_function_that_blocks_runs_on_a_thread_of_its_own_and_may_return_nothing(project):
    runner = project("""
        import threading
        started, go, on = threading.Event(), threading.Event(), []

        def action_block(context):
            on.append(threading.current_thread().name)
            started.set()
            assert go.wait(10)

        async def action_release(context):
            assert started.wait(10)
            go.set()
            return {"thread": on[0]}
    """)
    blocked, released = await asyncio.gather(runner.run(call("action_block"), PERSON), runner.run(call("action_release"), PERSON))
    assert blocked == ActionDone("key-1", "action_block")
    assert released.events[0]["value"] == "parley-action" != threading.current_thread().name


async def test_the_context_is_a_copy_so_an_action_cannot_change_the_conversation(project):
    runner = project("""
        async def action_spoil(context):
            context.slots["list"].append("spoiled")
    """)
    slots = {"list": ["kept"]}
    assert (await runner.run(call("action_spoil", slots), PERSON)).error is None
    assert slots == {"list": ["kept"]}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("raise ValueError(context.slots['secret'])", "failed"),
        ("raise Refused('too_poor')", "refused:too_poor"),
        ("raise Refused('Text of the customer, 0722 000 111')", "refused:other"),
        ("raise TimeoutError", "timeout"),
        ("raise BackendUnavailable('timeout')", "timeout"),
        ("raise BackendUnavailable('broken')", "unavailable"),
        ("return {'x': object()}", "failed"),
        ("return {'x': float('nan')}", "failed"),
        ("return 3", "failed"),
        ("await asyncio.Event().wait()", "timeout"),
    ],
)
async def test_every_way_to_fail_has_a_code_and_says_nothing_of_the_person(project, caplog, body, error):
    runner = project(f"""
        import asyncio
        from dialogs.actions import BackendUnavailable, Refused

        async def action_fail(context):
            {body}
    """)
    with caplog.at_level(logging.DEBUG):
        done = await runner.run(call("action_fail", {"secret": "0722000111"}, timeout_s=0.05), PERSON)
    assert done == ActionDone("key-1", "action_fail", error=error)
    assert "0722" not in caplog.text
    assert ("actions.py:" in caplog.text) == (error == "failed" and "raise" in body)


async def test_a_name_that_nobody_provides_is_an_error_of_its_own(project):
    runner = project("def action_a(context): ...")
    assert (await runner.run(call("action_b"), PERSON)).error == "unknown_action"


@pytest.mark.parametrize(
    ("idempotent", "retries", "answers", "asked", "error"),
    [
        (True, 2, [BackendUnavailable("broken"), BackendUnavailable("timeout"), (200, {})], 3, None),
        (True, 2, [BackendUnavailable("broken")] * 3, 3, "unavailable"),
        (True, 0, [BackendUnavailable("broken")], 1, "unavailable"),
        (False, 2, [BackendUnavailable("timeout")], 1, "timeout"),
        (True, 2, [(422, {"code": "too_poor"})], 1, "refused:too_poor"),
        (True, 2, [(422, {"code": "Not A Code"})], 1, "refused:other"),
        (True, 2, [(404, None)], 1, "refused:other"),
    ],
)
async def test_only_an_idempotent_action_is_tried_again_and_always_with_its_key(project, idempotent, retries, answers, asked, error):
    backend = Billing(*answers)
    runner = project(
        """
        async def action_pay(context):
            await context.ask("POST", "/pay", json={"amount": 5}, key=context.key)
        """,
        backend=backend,
    )
    done = await runner.run(call("action_pay", retries=retries, idempotent=idempotent, timeout_s=7), PERSON)
    assert done.error == error
    assert backend.asked == [("POST", "/pay", {"amount": 5}, "key-1", 7)] * asked


async def test_threads_are_bounded_and_work_that_waits_too_long_never_starts(project):
    runner = project(
        """
        import threading
        go, ran = threading.Event(), []

        def action_hang(context):
            assert go.wait(10)

        def action_wait(context):
            ran.append(1)

        async def action_release(context):
            go.set()
            return {"ran": len(ran)}
        """,
        threads=2,
    )
    hanging = [asyncio.create_task(runner.run(call("action_hang"), PERSON)) for _ in range(2)]
    waiting = asyncio.create_task(runner.run(call("action_wait", timeout_s=0.05), PERSON))
    assert (await waiting).error == "timeout"
    released = await runner.run(call("action_release"), PERSON)
    assert [task.error for task in await asyncio.gather(*hanging)] == [None, None]
    after = await runner.run(call("action_wait"), PERSON)
    assert (released.events[0]["value"], after.error) == (0, None)
    assert (await runner.run(call("action_release"), PERSON)).events[0]["value"] == 1


RASA = """
    import asyncio
    from typing import Any

    from rasa_sdk import Action, Tracker
    from rasa_sdk.events import ConversationPaused, SlotSet
    from rasa_sdk.executor import CollectingDispatcher
    from rasa_sdk.interfaces import ActionExecutionRejection

    class Greet(Action):
        def name(self):
            return "action_greet"

        async def run(self, dispatcher, tracker, domain):
            known = tracker.latest_message["metadata"]
            dispatcher.utter_message(response="utter_hello", name=tracker.get_slot("name"))
            dispatcher.utter_message(text="again")
            domain["slots"]["name"] = "changed"
            tracker.slots["name"] = "changed"
            return [SlotSet("greeted", [tracker.sender_id, known["msisdn"], known["key"]]), ConversationPaused()]

    class Domain(Action):
        def name(self):
            return "action_domain"

        def run(self, dispatcher, tracker, domain):
            return [SlotSet("seen", domain["slots"]["name"])]

    class Reject(Action):
        def name(self):
            return "action_reject"

        async def run(self, dispatcher, tracker, domain):
            raise ActionExecutionRejection("action_reject", "no thanks")

    class Hang(Action):
        def name(self):
            return "action_hang"

        async def run(self, dispatcher, tracker, domain):
            await asyncio.Event().wait()

    class Break(Action):
        def name(self):
            return "action_break"

        async def run(self, dispatcher, tracker, domain):
            raise RuntimeError(tracker.get_slot("name"))
"""


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
