"""What a plain action is given: the slots, the person, and the operator's systems behind one narrow door.

An action never sees the store, the channel or the conversation; what it returns becomes slots.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from core.model.address import Strength
from core.model.capabilities import Family

_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


class BackendUnavailable(Exception):
    """The operator's system gave no usable answer. `code`: timeout, not_connected, broken, server_error, too_large, unreadable.

    After anything but `not_connected` the request may have been carried out.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Refused(Exception):
    """The operator's system, or the action itself, says no. `code`: lower case letters, digits and underscores, at most 40."""

    def __init__(self, code: str) -> None:
        self.code = code if _CODE.fullmatch(code) else "other"
        super().__init__(self.code)


class Backend(Protocol):
    """The operator's systems over HTTP."""

    async def request(self, method: str, path: str, *, json: Any = None, key: str | None = None, timeout_s: float) -> tuple[int, Any]:
        """Make one request; return the status (below 500) and the JSON body. `key` is its idempotency key. Raises `BackendUnavailable`."""
        ...


@dataclass(frozen=True, slots=True)
class ActionPerson:
    """Who the action is for. `msisdn` is in E.164 with plus sign, and only given if the person may act for that number."""

    party_id: str
    family: Family
    language: str = "en"
    trust: Strength = Strength.CLAIMED
    msisdn: str | None = None
    customer_no: str | None = None


@dataclass(frozen=True, slots=True)
class ActionContext:
    """One call of one action. `key` stays the same when the call is repeated, also after a crash; `currency` is the operator's."""

    name: str
    key: str
    slots: Mapping[str, Any]
    person: ActionPerson
    backend: Backend
    currency: str
    timeout_s: float

    async def ask(self, method: str, path: str, *, json: Any = None, key: str | None = None) -> Any:
        """Make one request within the action's time and return the JSON body.

        Raises `Refused` with the code of the TM Forum error body for a 4xx answer, and `BackendUnavailable`.
        """
        status, body = await self.backend.request(method, path, json=json, key=key, timeout_s=self.timeout_s)
        if status >= 400:
            raise Refused(str(body.get("code", "")) if isinstance(body, dict) else "")
        return body
