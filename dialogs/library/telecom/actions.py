"""What the flows of this library ask of the operator's billing system, through the TM Forum Open APIs 654, 620, 622 and 678.

A refusal that a customer can do something about becomes a slot that the flow branches on; everything else is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from dialogs.actions import ActionContext, Refused

_BALANCE = "/tmf-api/prepayBalanceManagement/v4"
_CATALOG = "/tmf-api/productCatalogManagement/v4"
_ORDER = "/tmf-api/productOrderingManagement/v4"
_BILL = "/tmf-api/customerBillManagement/v4"
_BUNDLES_SHOWN = 9


async def action_start_payment(context: ActionContext) -> Mapping[str, Any]:
    """Make the key under which the flow will pay, however often it tries."""
    msisdn = context.person.msisdn
    if msisdn is None:
        return {"number_known": False}
    currency = context.currency or _main(await _buckets(context, msisdn))["units"]
    return {"number_known": True, "payment_key": context.key, "currency": currency}


async def action_get_balance(context: ActionContext) -> Mapping[str, Any]:
    """Find the balance and what is left of the bundles."""
    msisdn = context.person.msisdn
    if msisdn is None:
        return {"number_known": False}
    buckets = await _buckets(context, msisdn)
    money = _main(buckets)
    data_mb = sum(bucket["remainingValue"]["amount"] for bucket in buckets if bucket["usageType"] == "data")
    return {
        "number_known": True,
        "balance": _money(money["units"], money["amount"]),
        "balance_data": _data(data_mb) if data_mb else None,
    }


async def action_top_up(context: ActionContext) -> Mapping[str, Any]:
    """Add topup_amount to the balance, once for each payment_key."""
    slots = context.slots
    body = {
        "amount": {"amount": slots["topup_amount"], "units": slots["currency"]},
        "logicalResource": [{"id": context.person.msisdn}],
        "channel": {"name": str(context.person.family)},
    }
    try:
        done = await context.ask("POST", f"{_BALANCE}/topupBalance", json=body, key=slots["payment_key"])
    except Refused as refused:
        return {"topup_result": refused.code}
    left = done["impactedBucket"][0]["remainingValue"]
    return {"topup_result": "paid", "topup_reference": done["id"], "topup_balance": _money(left["units"], left["amount"])}


async def action_list_bundles(context: ActionContext) -> Mapping[str, Any]:
    """List the bundles that can be bought, each with its price."""
    offerings = await context.ask("GET", f"{_CATALOG}/productOffering?category=bundle&lifecycleStatus=Active")
    return {"bundle_options": [_option(offering) for offering in offerings[:_BUNDLES_SHOWN]]}


async def action_buy_bundle(context: ActionContext) -> Mapping[str, Any]:
    """Buy the chosen bundle from the balance, once for each payment_key."""
    slots = context.slots
    chosen = next(option["id"] for option in slots["bundle_options"] if option["value"] == slots["bundle"])
    item = {
        "id": "1",
        "quantity": 1,
        "action": "add",
        "productOffering": {"id": chosen},
        "product": {"realizingResource": [{"id": context.person.msisdn}]},
    }
    body = {"productOrderItem": [item], "channel": [{"name": str(context.person.family)}]}
    try:
        order = await context.ask("POST", f"{_ORDER}/productOrder", json=body, key=slots["payment_key"])
    except Refused as refused:
        return {"bundle_result": refused.code}
    bought = order["productOrderItem"][0]
    return {
        "bundle_result": "bought",
        "bundle_reference": order["id"],
        "bundle_name": bought["productOffering"]["name"],
        "bundle_until": _day(bought["product"]["terminationDate"]),
    }


async def action_last_bill(context: ActionContext) -> Mapping[str, Any]:
    """Find amount, dates and state of the last bill."""
    msisdn = context.person.msisdn
    if msisdn is None:
        return {"number_known": False}
    bills = await context.ask("GET", f"{_BILL}/customerBill?billingAccount.id={quote(msisdn)}&sort=-billDate&limit=1")
    if not bills:
        return {"number_known": True, "bill_state": "none"}
    bill = bills[0]
    paid = bill["remainingAmount"]["value"] <= 0
    amount = bill["amountDue"] if paid else bill["remainingAmount"]
    return {
        "number_known": True,
        "bill_state": "paid" if paid else "due",
        "bill_amount": _money(amount["unit"], amount["value"]),
        "bill_date": _day(bill["billDate"]),
        "bill_due_date": _day(bill["paymentDueDate"]),
    }


async def _buckets(context: ActionContext, msisdn: str) -> list[dict[str, Any]]:
    return list(await context.ask("GET", f"{_BALANCE}/bucket?logicalResource.id={quote(msisdn)}"))


def _main(buckets: list[dict[str, Any]]) -> dict[str, Any]:
    return next(dict(bucket["remainingValue"]) for bucket in buckets if bucket["usageType"] == "monetary")


def _option(offering: Mapping[str, Any]) -> dict[str, str]:
    price = offering["productOfferingPrice"][0]["price"]
    label = f"{offering['name']} {_money(price['unit'], price['value'])}"
    return {"id": offering["id"], "title": label, "value": label}


def _money(currency: str, amount: float) -> str:
    return f"{currency} {amount:.2f}"


def _data(megabytes: float) -> str:
    return f"{megabytes:.0f}MB" if megabytes < 1024 else f"{megabytes / 1024:.1f}GB"


def _day(text: str) -> str:
    return datetime.fromisoformat(text).strftime("%d/%m/%Y")
