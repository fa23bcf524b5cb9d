"""What the kiosk asks of the billing system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dialogs.actions import ActionContext

_BALANCE = "/tmf-api/prepayBalanceManagement/v4"
_VISITOR = "+254711000000"  # who has shown no number


async def action_get_balance(context: ActionContext) -> Mapping[str, Any]:
    """Find the balance."""
    msisdn = context.person.msisdn or _VISITOR
    buckets = await context.ask("GET", f"{_BALANCE}/bucket?logicalResource.id={msisdn.replace('+', '%2B')}")
    return {"balance": str(buckets[0]["remainingValue"]["amount"])}


async def action_pay(context: ActionContext) -> Mapping[str, Any]:
    """Pay, once for each action."""
    amount = {
        "amount": {"amount": context.slots["amount"], "units": "KES"},
        "logicalResource": [{"id": context.person.msisdn or _VISITOR}],
    }
    done = await context.ask("POST", f"{_BALANCE}/topupBalance", json=amount, key=context.key)
    return {"receipt": done["id"]}
