"""The bridge with functions of a project: in bounded time, with a closed set of outcomes."""

import asyncio
import logging
import threading

import pytest

from core.model.dialog import ActionDone
from dialogs.actions import BackendUnavailable
from tests.dialogs.actions.acting import PERSON, Billing, call


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
