"""The demo operator's billing system over HTTP, in the style of the TM Forum Open APIs 654, 620, 622, 637 and 678.

A stand-in, not a product: it listens on the loopback only, knows any number, takes no money, and answers what a flow may ask.
Payments demand an `Idempotency-Key`; a repeated key gets the first answer again, the same key with another body is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from core.clock import Clock
from gateway.demo.behaviour import Behaviour, Stage, middleware
from gateway.demo.ledger import Books, Ledger, Payment
from gateway.demo.subscriber import OFFERINGS, Offering, subscriber
from gateway.demo.wire import Refusal, iso, json_object, msisdn_of, queried, refusals, units

BODY_MAX_BYTES = 16_384
TOPUP_MIN_CENTS, TOPUP_MAX_CENTS = 10_00, 10_000_00
_BALANCE = "/tmf-api/prepayBalanceManagement/v4"
_CATALOG = "/tmf-api/productCatalogManagement/v4"
_ORDER = "/tmf-api/productOrderingManagement/v4"
_INVENTORY = "/tmf-api/productInventory/v4"
_BILL = "/tmf-api/customerBillManagement/v4"


@dataclass(frozen=True, slots=True)
class DemoState:
    """What the application stands on. `currency` is an ISO 4217 code."""

    ledger: Ledger
    stage: Stage
    clock: Clock
    currency: str


def open_state(folder: Path, *, clock: Clock, currency: str) -> DemoState:
    """Open the demo operator's file in the data folder; close it with `state.ledger.close()`."""
    return DemoState(Ledger(folder / "demo-bss.sqlite3"), Stage(), clock, currency)


def make_app(state: DemoState) -> web.Application:
    """Build the application; it may be served alone or as a sub-application at the root of a listener."""
    desk = _Bss(state)
    app = web.Application(client_max_size=BODY_MAX_BYTES, middlewares=[middleware(state.stage), refusals])
    app.add_routes(
        [
            web.get(f"{_BALANCE}/bucket", desk.buckets),
            web.post(f"{_BALANCE}/topupBalance", desk.top_up),
            web.get(f"{_CATALOG}/productOffering", desk.offerings),
            web.post(f"{_ORDER}/productOrder", desk.order),
            web.get(f"{_INVENTORY}/product", desk.products),
            web.get(f"{_BILL}/customerBill", desk.bills),
            web.get("/demo/behaviour", desk.behaviour),
            web.put("/demo/behaviour", desk.change_behaviour),
            web.get("/demo/payments", desk.payments),
        ]
    )
    return app


class _Bss:
    """The handlers."""

    def __init__(self, state: DemoState) -> None:
        self._state = state

    async def buckets(self, request: web.Request) -> web.Response:
        """List the buckets of one number: money first, then what is left of its bundles."""
        msisdn = queried(request, "logicalResource.id")
        paid = await self._state.ledger.run(lambda books: books.of(msisdn))
        money = {
            "id": f"{msisdn}-main",
            "name": "Main balance",
            "usageType": "monetary",
            "status": "active",
            "remainingValue": {"amount": units(_balance_cents(msisdn, paid)), "units": self._state.currency},
            "logicalResource": [{"id": msisdn}],
        }
        return web.json_response([money, *(self._data_bucket(payment) for payment in paid if self._runs(payment))])

    async def top_up(self, request: web.Request) -> web.Response:
        """Add an amount to the balance of a number, once for each key."""

        def pay(books: Books, body: dict[str, Any], key: str, text: str) -> Payment:
            msisdn, cents = msisdn_of(body, "logicalResource"), self._cents(body)
            number = books.next_id()
            balance = _balance_cents(msisdn, books.of(msisdn)) + cents
            answer = {
                "id": f"T{number}",
                "status": "completed",
                "confirmationDate": iso(self._state.clock.now_ms()),
                "amount": {"amount": units(cents), "units": self._state.currency},
                "logicalResource": [{"id": msisdn}],
                "impactedBucket": [{"id": f"{msisdn}-main", "remainingValue": {"amount": units(balance), "units": self._state.currency}}],
            }
            return Payment(number, key, text, msisdn, "topup", cents, None, self._state.clock.now_ms(), json.dumps(answer))

        return await self._once(request, pay)

    async def offerings(self, _request: web.Request) -> web.Response:
        """List the bundles that can be bought."""
        return web.json_response([self._offering(offering) for offering in OFFERINGS.values()])

    async def order(self, request: web.Request) -> web.Response:
        """Buy one bundle from the balance of a number, once for each key."""

        def pay(books: Books, body: dict[str, Any], key: str, text: str) -> Payment:
            match body.get("productOrderItem"):
                case [{"productOffering": {"id": str(wanted)}, "product": dict(product)}]:
                    offering = OFFERINGS.get(wanted)
                case _:
                    raise Refusal(400, "bad_request", "exactly one productOrderItem with productOffering and product is expected")
            if offering is None:
                raise Refusal(422, "unknown_offering", "There is no such offering")
            msisdn = msisdn_of(product, "realizingResource")
            balance = _balance_cents(msisdn, books.of(msisdn)) - offering.price_cents
            if balance < 0:
                raise Refusal(422, "insufficient_balance", "The balance is too low for this offering")
            number, now = books.next_id(), self._state.clock.now_ms()
            answer = {
                "id": f"P{number}",
                "state": "completed",
                "completionDate": iso(now),
                "productOrderItem": [
                    {
                        "id": "1",
                        "action": "add",
                        "productOffering": {"id": offering.id, "name": offering.name},
                        "product": {"id": f"P{number}-1", "terminationDate": iso(now + offering.days * 86_400_000)},
                    }
                ],
            }
            return Payment(number, key, text, msisdn, "bundle", offering.price_cents, offering.id, now, json.dumps(answer))

        return await self._once(request, pay)

    async def products(self, request: web.Request) -> web.Response:
        """List the bundles that a number has bought."""
        msisdn = queried(request, "realizingResource.id")
        paid = await self._state.ledger.run(lambda books: books.of(msisdn))
        return web.json_response(
            [
                {
                    "id": f"P{payment.id}-1",
                    "status": "active" if self._runs(payment) else "terminated",
                    "productOffering": {"id": payment.offering, "name": OFFERINGS[payment.offering].name},
                    "startDate": iso(payment.at),
                    "realizingResource": [{"id": msisdn}],
                }
                for payment in paid
                if payment.offering is not None
            ]
        )

    async def bills(self, request: web.Request) -> web.Response:
        """Return the last bill of a number, or an empty list."""
        who = subscriber(queried(request, "billingAccount.id"))
        if who.bill_cents is None:
            return web.json_response([])
        issued = datetime.fromtimestamp(self._state.clock.now_ms() / 1000, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        due = 0 if who.bill_paid else who.bill_cents
        bill = {
            "id": who.bill_no,
            "billNo": who.bill_no,
            "billDate": issued.date().isoformat(),
            "paymentDueDate": (issued + timedelta(days=20)).date().isoformat(),
            "state": "settled" if who.bill_paid else "sent",
            "amountDue": {"unit": self._state.currency, "value": units(who.bill_cents)},
            "remainingAmount": {"unit": self._state.currency, "value": units(due)},
        }
        return web.json_response([bill])

    async def behaviour(self, _request: web.Request) -> web.Response:
        """Tell how the stand-in behaves now."""
        return web.json_response(self._state.stage.behaviour.json())

    async def change_behaviour(self, request: web.Request) -> web.Response:
        """Make the stand-in slow, failing, down, or well again."""
        self._state.stage.change(Behaviour.read(await json_object(request)))
        return web.json_response(self._state.stage.behaviour.json())

    async def payments(self, request: web.Request) -> web.Response:
        """Count and list what was paid, of one number (`?msisdn=`) or of all: for tests and the curious."""
        msisdn = request.query.get("msisdn")
        paid = await self._state.ledger.run(lambda books: books.all() if msisdn is None else books.of(msisdn))
        rows = [
            {
                "key": payment.key,
                "msisdn": payment.msisdn,
                "kind": payment.kind,
                "amount": {"unit": self._state.currency, "value": units(payment.amount_cents)},
                "offering": payment.offering,
            }
            for payment in paid
        ]
        return web.json_response({"count": len(rows), "payments": rows})

    async def _once(self, request: web.Request, pay: Callable[[Books, dict[str, Any], str, str], Payment]) -> web.Response:
        key = request.headers.get("Idempotency-Key", "")
        if not 1 <= len(key) <= 200:
            raise Refusal(400, "no_idempotency_key", "A payment needs an Idempotency-Key header of 1 to 200 characters")
        body = await json_object(request)
        answer = await self._state.ledger.run(lambda books: _repeat_or_pay(books, body, key, pay))
        return web.json_response(text=answer, status=201)

    def _cents(self, body: dict[str, Any]) -> int:
        wanted = body.get("amount")
        amount = wanted.get("amount") if isinstance(wanted, dict) else None
        if not isinstance(wanted, dict) or isinstance(amount, bool) or not isinstance(amount, int | float):
            raise Refusal(400, "bad_request", "amount.amount must be a number")
        if wanted.get("units") != self._state.currency:
            raise Refusal(422, "wrong_currency", f"The balance is kept in {self._state.currency}")
        if not TOPUP_MIN_CENTS <= amount * 100 <= TOPUP_MAX_CENTS:
            raise Refusal(422, "amount_out_of_range", "The amount is outside of the limits")
        return round(amount * 100)

    def _offering(self, offering: Offering) -> dict[str, Any]:
        price = {"unit": self._state.currency, "value": units(offering.price_cents)}
        return {
            "id": offering.id,
            "name": offering.name,
            "lifecycleStatus": "Active",
            "isSellable": True,
            "category": [{"id": "bundle"}],
            "productOfferingPrice": [{"id": f"{offering.id}-price", "priceType": "oneTime", "price": price}],
        }

    def _runs(self, payment: Payment) -> bool:
        if payment.offering is None:
            return False
        return self._state.clock.now_ms() < payment.at + OFFERINGS[payment.offering].days * 86_400_000

    def _data_bucket(self, payment: Payment) -> dict[str, Any]:
        offering = OFFERINGS[str(payment.offering)]
        return {
            "id": f"P{payment.id}-1-data",
            "name": offering.name,
            "usageType": "data",
            "status": "active",
            "remainingValue": {"amount": offering.data_mb, "units": "MB"},
            "validFor": {"endDateTime": iso(payment.at + offering.days * 86_400_000)},
            "logicalResource": [{"id": payment.msisdn}],
        }


def _repeat_or_pay(books: Books, body: dict[str, Any], key: str, pay: Callable[[Books, dict[str, Any], str, str], Payment]) -> str:
    text = json.dumps(body, sort_keys=True)
    earlier = books.by_key(key)
    if earlier is not None:
        if earlier.request != text:
            raise Refusal(422, "key_reused", "This Idempotency-Key was used for another request")
        return earlier.answer
    payment = pay(books, body, key, text)
    books.add(payment)
    return payment.answer


def _balance_cents(msisdn: str, paid: list[Payment]) -> int:
    moved = sum(payment.amount_cents if payment.kind == "topup" else -payment.amount_cents for payment in paid)
    return subscriber(msisdn).opening_cents + moved
