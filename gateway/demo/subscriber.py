"""What the demo operator knows of a number before anything is paid: derived from the number itself, so that any number works.

Nothing here is stored and nothing depends on the time: the same number always has the same beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class Offering:
    """A bundle of the demo operator's catalogue: data in MB, validity in days, price in cents of its currency."""

    id: str
    name: str
    data_mb: int
    days: int
    price_cents: int


OFFERINGS: dict[str, Offering] = {
    offering.id: offering
    for offering in (
        Offering("data-day", "250MB 24h", 250, 1, 20_00),
        Offering("data-week", "1GB 7d", 1024, 7, 100_00),
        Offering("data-fortnight", "2.5GB 14d", 2560, 14, 250_00),
        Offering("data-month", "5GB 30d", 5120, 30, 500_00),
        Offering("data-family", "20GB 30d", 20480, 30, 1500_00),
    )
}


@dataclass(frozen=True, slots=True)
class Subscriber:
    """The beginning of one number: opening balance in cents, and the last bill (`None` for one number in eight: never billed)."""

    opening_cents: int
    bill_cents: int | None
    bill_paid: bool
    bill_no: str


def subscriber(msisdn: str) -> Subscriber:
    """Return what the demo operator knows of `msisdn`."""
    digest = blake2b(msisdn.encode(), digest_size=8, person=b"demo-bss").digest()
    opening, bill, fate = int.from_bytes(digest[:2], "big"), int.from_bytes(digest[2:4], "big"), digest[4]
    return Subscriber(
        opening_cents=50_00 + opening % 950_00,
        bill_cents=None if fate % 8 == 0 else 200_00 + bill % 1800_00,
        bill_paid=fate % 2 == 1,
        bill_no=f"B{int.from_bytes(digest[5:8], 'big'):08d}",
    )
