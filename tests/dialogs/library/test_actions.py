"""The library's actions against the demo operator over real HTTP."""

import re
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from core.clock import Clock
from core.model.capabilities import Family
from core.model.dialog import RunAction
from dialogs.actions import ActionPerson, ActionRunner, load_actions
from dialogs.library import telecom
from gateway.backend import HttpBackend
from gateway.demo.behaviour import Behaviour, Mode
from gateway.demo.bss import make_app, open_state

NOW = 1_760_000_000_000  # 9 October 2025
MSISDN = "+254722000111"
TELECOM = Path(telecom.__file__).parent


class Customer:
    """The library's actions, run for one person at a served demo operator."""

    def __init__(self, state, runner):
        self.state, self.runner = state, runner

    async def run(self, name, slots=None, *, msisdn=MSISDN, key="k1", **more):
        person = ActionPerson("party-1", Family.USSD, msisdn=msisdn)
        done = await self.runner.run(RunAction(name, key, {"slots": slots or {}}, **more), person)
        return done.error or {event["name"]: event["value"] for event in done.events}

    def behave(self, mode, **more):
        self.state.stage.change(Behaviour(mode, **more))

    async def paid(self):
        return await self.state.ledger.run(lambda books: [(payment.kind, payment.amount_cents) for payment in books.all()])


@pytest.fixture
async def telecom(tmp_path):
    state = open_state(tmp_path, clock=Clock(now_ms=lambda: NOW), currency="KES")
    server = TestServer(make_app(state))
    await server.start_server()
    backend = HttpBackend(str(server.make_url("/")))
    runner = ActionRunner(load_actions(TELECOM), backend, currency="KES", retry_pause_s=0)
    yield Customer(state, runner)
    runner.close()
    await backend.close()
    await server.close()
    state.ledger.close()


TOP_UP = {"topup_amount": 500.0, "currency": "KES", "payment_key": "p1"}


async def test_the_balance_is_money_that_a_phone_can_show(telecom):
    found = await telecom.run("action_get_balance")
    assert re.fullmatch(r"KES \d+\.\d\d", found["balance"])
    assert (found["number_known"], found["balance_data"]) == (True, None)


@pytest.mark.parametrize("name", ["action_start_payment", "action_get_balance", "action_last_bill"])
async def test_without_a_number_nothing_is_asked_of_the_billing_system(telecom, name):
    telecom.behave(Mode.DOWN)
    assert await telecom.run(name, msisdn=None) == {"number_known": False}


async def test_a_payment_starts_with_a_key_of_its_own_and_the_operators_currency(telecom):
    telecom.behave(Mode.DOWN)
    assert await telecom.run("action_start_payment", key="k7") == {"number_known": True, "payment_key": "k7", "currency": "KES"}


async def test_where_no_currency_is_set_the_billing_system_says_which(telecom):
    runner = ActionRunner(load_actions(TELECOM), telecom.runner._backend, retry_pause_s=0)
    try:
        assert (await Customer(telecom.state, runner).run("action_start_payment"))["currency"] == "KES"
    finally:
        runner.close()


async def test_a_top_up_is_paid_once_however_often_it_is_tried(telecom):
    first = await telecom.run("action_top_up", TOP_UP, key="k1")
    again = await telecom.run("action_top_up", TOP_UP, key="k2")
    assert first == again
    assert first["topup_result"] == "paid"
    assert first["topup_balance"] == (await telecom.run("action_get_balance"))["balance"]
    assert await telecom.paid() == [("topup", 500_00)]


async def test_a_top_up_that_was_too_slow_is_found_paid_when_it_is_tried_again(telecom):
    telecom.behave(Mode.SLOW, delay_s=100)
    assert await telecom.run("action_top_up", TOP_UP, timeout_s=0.1, idempotent=True, retries=1) == "timeout"
    telecom.behave(Mode.OK)
    assert (await telecom.run("action_top_up", TOP_UP))["topup_result"] == "paid"
    assert await telecom.paid() == [("topup", 500_00)]


@pytest.mark.parametrize(("change", "result"), [({"topup_amount": 5.0}, "amount_out_of_range"), ({"currency": "USD"}, "wrong_currency")])
async def test_a_refused_top_up_says_why_and_pays_nothing(telecom, change, result):
    assert await telecom.run("action_top_up", TOP_UP | change) == {"topup_result": result}
    assert await telecom.paid() == []


async def test_another_amount_under_the_same_key_is_not_paid(telecom):
    await telecom.run("action_top_up", TOP_UP)
    assert await telecom.run("action_top_up", TOP_UP | {"topup_amount": 300.0}) == {"topup_result": "key_reused"}
    assert await telecom.paid() == [("topup", 500_00)]


async def test_a_bundle_is_chosen_from_the_list_bought_once_and_shows_in_the_balance(telecom):
    options = (await telecom.run("action_list_bundles"))["bundle_options"]
    assert [option["title"] for option in options][:2] == ["250MB 24h KES 20.00", "1GB 7d KES 100.00"]
    await telecom.run("action_top_up", TOP_UP)
    slots = {"bundle": options[1]["value"], "bundle_options": options, "payment_key": "p2"}
    bought = await telecom.run("action_buy_bundle", slots)
    assert bought == await telecom.run("action_buy_bundle", slots, key="k2")
    assert bought == {
        "bundle_result": "bought",
        "bundle_name": "1GB 7d",
        "bundle_until": "16/10/2025",
        "bundle_reference": bought["bundle_reference"],
    }
    assert await telecom.paid() == [("topup", 500_00), ("bundle", 100_00)]
    assert (await telecom.run("action_get_balance"))["balance_data"] == "1.0GB"
    await telecom.run("action_buy_bundle", slots | {"bundle": options[0]["value"], "payment_key": "p3"})
    assert (await telecom.run("action_get_balance"))["balance_data"] == "1.2GB"


async def test_a_bundle_that_the_balance_does_not_cover_is_refused(telecom):
    options = (await telecom.run("action_list_bundles"))["bundle_options"]
    slots = {"bundle": options[-1]["value"], "bundle_options": options, "payment_key": "p2"}
    assert await telecom.run("action_buy_bundle", slots) == {"bundle_result": "insufficient_balance"}


async def test_the_last_bill_is_due_paid_or_missing(telecom):
    found = [await telecom.run("action_last_bill", msisdn=f"+2547220002{last:02d}") for last in range(24)]
    by_state = {bill["bill_state"]: bill for bill in found}
    assert by_state.keys() == {"due", "paid", "none"}
    assert (by_state["due"]["bill_date"], by_state["due"]["bill_due_date"]) == ("01/10/2025", "21/10/2025")
    assert all(re.fullmatch(r"KES [1-9]\d+\.\d\d", by_state[state]["bill_amount"]) for state in ("due", "paid"))
    assert by_state["none"] == {"number_known": True, "bill_state": "none"}


@pytest.mark.parametrize(("mode", "error"), [(Mode.FAIL, "unavailable"), (Mode.DOWN, "unavailable"), (Mode.SLOW, "timeout")])
@pytest.mark.parametrize("name", ["action_get_balance", "action_last_bill", "action_list_bundles", "action_top_up"])
async def test_a_billing_system_in_trouble_is_an_error_that_the_flow_can_name(telecom, name, mode, error):
    telecom.behave(mode, delay_s=100)
    assert await telecom.run(name, TOP_UP, timeout_s=0.1) == error
