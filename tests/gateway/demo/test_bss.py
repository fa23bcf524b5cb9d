"""The demo operator over real HTTP: what it knows, that it pays once, how it misbehaves."""

import asyncio
import json

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from core.clock import Clock
from dialogs.actions import BackendUnavailable
from gateway.backend import ANSWER_MAX_BYTES, HttpBackend
from gateway.demo.bss import DemoState, make_app, open_state

BALANCE = "/tmf-api/prepayBalanceManagement/v4"
MSISDN = "+254722000111"
TOPUP = {"amount": {"amount": 500, "units": "KES"}, "logicalResource": [{"id": MSISDN}]}
NOW = 1_760_000_000_000  # 9 October 2025


class Demo:
    """A served demo operator, its state and a backend that talks to it."""

    def __init__(self, state: DemoState, server: TestServer) -> None:
        self.state, self.server = state, server
        self.url = str(server.make_url("/"))
        self.backend = HttpBackend(self.url)

    async def ask(self, method, path, *, json=None, key=None, timeout_s=5.0):
        return await self.backend.request(method, path, json=json, key=key, timeout_s=timeout_s)

    async def balance(self, msisdn=MSISDN):
        _, buckets = await self.ask("GET", f"{BALANCE}/bucket?logicalResource.id=%2B{msisdn[1:]}")
        return buckets[0]["remainingValue"]["amount"]

    async def behave(self, **behaviour):
        status, _ = await self.ask("PUT", "/demo/behaviour", json=behaviour)
        assert status == 200

    async def stop(self):
        await self.backend.close()
        await self.server.close()
        self.state.ledger.close()


async def serve(folder, now=NOW):
    state = open_state(folder, clock=Clock(now_ms=lambda: now), currency="KES")
    server = TestServer(make_app(state))
    await server.start_server()
    return Demo(state, server)


@pytest.fixture
async def demo(tmp_path):
    demo = await serve(tmp_path)
    yield demo
    await demo.stop()


async def test_any_number_has_a_balance_that_depends_on_the_number_alone(demo):
    first, again, other = await demo.balance(), await demo.balance(), await demo.balance("+254722000112")
    assert first == again != other
    assert 50 <= first < 1000


async def test_a_top_up_is_paid_once_for_each_key(demo):
    before = await demo.balance()
    answers = await asyncio.gather(*(demo.ask("POST", f"{BALANCE}/topupBalance", json=TOPUP, key="k1") for _ in range(10)))
    assert all(answer == answers[0] for answer in answers)
    status, body = answers[0]
    assert (status, body["status"]) == (201, "completed")
    assert body["impactedBucket"][0]["remainingValue"] == {"amount": pytest.approx(before + 500), "units": "KES"}
    await demo.ask("POST", f"{BALANCE}/topupBalance", json=TOPUP, key="k2")
    assert await demo.balance() == pytest.approx(before + 1000)
    _, paid = await demo.ask("GET", "/demo/payments")
    assert paid["count"] == 2
    money = {"unit": "KES", "value": 500.0}
    first = {"key": "k1", "msisdn": MSISDN, "kind": "topup", "amount": money, "offering": None}
    assert paid["payments"] == [first, first | {"key": "k2"}]


async def test_what_was_paid_outlives_the_process(tmp_path):
    first = await serve(tmp_path)
    status_and_body = await first.ask("POST", f"{BALANCE}/topupBalance", json=TOPUP, key="k1")
    balance = await first.balance()
    await first.stop()
    second = await serve(tmp_path)
    try:
        assert await second.balance() == balance
        assert await second.ask("POST", f"{BALANCE}/topupBalance", json=TOPUP, key="k1") == status_and_body
        _, paid = await second.ask("GET", "/demo/payments?msisdn=%2B254722000111")
        assert paid["count"] == 1
    finally:
        await second.stop()


@pytest.mark.parametrize(
    ("body", "key", "status", "code"),
    [
        (TOPUP, None, 400, "no_idempotency_key"),
        (TOPUP, "k" * 201, 400, "no_idempotency_key"),
        ([], "k", 400, "bad_request"),
        ({}, "k", 400, "bad_request"),
        ({**TOPUP, "amount": {"amount": True, "units": "KES"}}, "k", 400, "bad_request"),
        ({**TOPUP, "amount": {"amount": 500, "units": "USD"}}, "k", 422, "wrong_currency"),
        ({**TOPUP, "amount": {"amount": 9.99, "units": "KES"}}, "k", 422, "amount_out_of_range"),
        ({**TOPUP, "amount": {"amount": 10000.01, "units": "KES"}}, "k", 422, "amount_out_of_range"),
        ({**TOPUP, "amount": {"amount": -500, "units": "KES"}}, "k", 422, "amount_out_of_range"),
        ({**TOPUP, "logicalResource": [{"id": "0722"}]}, "k", 400, "bad_request"),
        ({**TOPUP, "logicalResource": []}, "k", 400, "bad_request"),
    ],
)
async def test_a_bad_top_up_is_refused_with_a_code_and_nothing_is_paid(demo, body, key, status, code):
    before = await demo.balance()
    got, answer = await demo.ask("POST", f"{BALANCE}/topupBalance", json=body, key=key)
    assert (got, answer["code"]) == (status, code)
    assert await demo.balance() == before


async def test_a_key_used_for_another_request_is_refused(demo):
    await demo.ask("POST", f"{BALANCE}/topupBalance", json=TOPUP, key="k1")
    status, body = await demo.ask("POST", f"{BALANCE}/topupBalance", json={**TOPUP, "amount": {"amount": 50, "units": "KES"}}, key="k1")
    assert (status, body["code"]) == (422, "key_reused")


@pytest.mark.parametrize(
    "path",
    [
        f"{BALANCE}/bucket?logicalResource.id=0722000111",
        f"{BALANCE}/bucket",
        "/tmf-api/productInventory/v4/product?realizingResource.id=%2B",
        "/tmf-api/customerBillManagement/v4/customerBill?billingAccount.id=%2B25472200011'--",
    ],
)
async def test_a_question_about_no_number_is_refused(demo, path):
    status, body = await demo.ask("GET", path)
    assert (status, body["code"]) == (400, "bad_request")


def order(offering):
    product = {"realizingResource": [{"id": MSISDN}]}
    return {"productOrderItem": [{"id": "1", "action": "add", "productOffering": {"id": offering}, "product": product}]}


ORDER = "/tmf-api/productOrderingManagement/v4/productOrder"


async def test_a_bundle_is_bought_once_from_the_balance_and_shows_as_product_and_bucket(demo):
    before = await demo.balance()
    _, offerings = await demo.ask("GET", "/tmf-api/productCatalogManagement/v4/productOffering?category=bundle")
    assert [offer["id"] for offer in offerings][:2] == ["data-day", "data-week"]
    for _ in range(2):
        status, body = await demo.ask("POST", ORDER, json=order("data-day"), key="b1")
        assert (status, body["state"]) == (201, "completed")
    assert await demo.balance() == pytest.approx(before - 20)
    _, buckets = await demo.ask("GET", f"{BALANCE}/bucket?logicalResource.id=%2B254722000111")
    assert [bucket["remainingValue"] for bucket in buckets[1:]] == [{"amount": 250, "units": "MB"}]
    _, products = await demo.ask("GET", "/tmf-api/productInventory/v4/product?realizingResource.id=%2B254722000111")
    assert [(product["status"], product["productOffering"]["id"]) for product in products] == [("active", "data-day")]


async def test_a_bundle_ends_with_its_validity(tmp_path):
    first = await serve(tmp_path)
    await first.ask("POST", ORDER, json=order("data-day"), key="b1")
    await first.stop()
    later = await serve(tmp_path, NOW + 86_400_000)
    try:
        _, buckets = await later.ask("GET", f"{BALANCE}/bucket?logicalResource.id=%2B254722000111")
        _, products = await later.ask("GET", "/tmf-api/productInventory/v4/product?realizingResource.id=%2B254722000111")
        assert len(buckets) == 1
        assert products[0]["status"] == "terminated"
    finally:
        await later.stop()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (order("data-family"), 422, "insufficient_balance"),
        (order("unheard-of"), 422, "unknown_offering"),
        ({"productOrderItem": []}, 400, "bad_request"),
        ({"productOrderItem": [{"productOffering": "data-day"}]}, 400, "bad_request"),
    ],
)
async def test_a_bad_order_is_refused(demo, body, status, code):
    got, answer = await demo.ask("POST", ORDER, json=body, key="b1")
    assert (got, answer["code"]) == (status, code)
    _, paid = await demo.ask("GET", "/demo/payments")
    assert paid["count"] == 0


async def test_numbers_have_a_bill_a_paid_bill_or_none(demo):
    states = set()
    for last in range(24):
        _, bills = await demo.ask("GET", f"/tmf-api/customerBillManagement/v4/customerBill?billingAccount.id=%2B2547220002{last:02d}")
        states.add(bills[0]["state"] if bills else None)
        if bills:
            assert (bills[0]["billDate"], bills[0]["paymentDueDate"]) == ("2025-10-01", "2025-10-21")
            assert bills[0]["amountDue"]["value"] >= bills[0]["remainingAmount"]["value"]
    assert states == {"sent", "settled", None}


async def test_it_fails_and_recovers_on_request(demo):
    await demo.behave(mode="fail")
    with pytest.raises(BackendUnavailable) as failed:
        await demo.balance()
    assert failed.value.code == "server_error"
    await demo.behave(mode="ok")
    assert await demo.balance() > 0


async def test_it_goes_down_without_an_answer(demo):
    await demo.behave(mode="down")
    with pytest.raises(BackendUnavailable) as down:
        await demo.balance()
    assert down.value.code == "broken"


async def test_a_slow_payment_that_the_caller_gave_up_is_still_paid_only_once(demo):
    before = await demo.balance()
    await demo.behave(mode="slow", delay_s=120, paths=[f"{BALANCE}/topupBalance"])
    assert await demo.balance() == before, "other paths are not slow"
    with pytest.raises(BackendUnavailable) as slow:
        await demo.ask("POST", f"{BALANCE}/topupBalance", json=TOPUP, key="k1", timeout_s=0.3)
    assert slow.value.code == "timeout"
    held = asyncio.create_task(demo.ask("POST", f"{BALANCE}/topupBalance", json=TOPUP, key="k1"))
    while not demo.state.stage.held:  # noqa: ASYNC110 - the server's own count, not a time
        await asyncio.sleep(0)
    await demo.behave(mode="ok")
    status, _ = await held
    assert status == 201
    assert await demo.balance() == pytest.approx(before + 500)


@pytest.mark.parametrize(
    "body",
    [
        {"mode": "odd"},
        {"mode": ["ok"]},
        {},
        [],
        {"mode": "ok", "extra": 1},
        {"mode": "slow", "delay_s": 1e9},
        {"mode": "slow", "delay_s": "8"},
        {"mode": "slow", "paths": "/"},
        {"mode": "slow", "paths": [1]},
    ],
)
async def test_unknown_behaviour_is_refused_and_changes_nothing(demo, body):
    status, answer = await demo.ask("PUT", "/demo/behaviour", json=body)
    assert (status, answer["code"]) == (400, "bad_request")
    assert await demo.ask("GET", "/demo/behaviour") == (200, {"mode": "ok", "delay_s": 8.0, "paths": []})


async def test_a_body_that_is_not_json_is_refused(demo):
    async with aiohttp.ClientSession() as session:
        for method, path in (("PUT", "demo/behaviour"), ("POST", f"{BALANCE[1:]}/topupBalance")):
            for data in (b"{", b"\xff", b"[" * 5_000):
                async with session.request(method, demo.url + path, data=data, headers={"Idempotency-Key": "k"}) as answer:
                    assert answer.status == 400, (path, data[:9])
                    assert json.loads(await answer.text())["code"] == "bad_request"


async def test_an_oversized_body_is_refused(demo):
    async with aiohttp.ClientSession() as session:
        big = json.dumps({"x": "y" * ANSWER_MAX_BYTES})
        async with session.post(f"{demo.url}{BALANCE[1:]}/topupBalance", data=big, headers={"Idempotency-Key": "k"}) as answer:
            assert answer.status == 413
