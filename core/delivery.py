"""The order of delivery statuses: what a message has reached is the highest rank ever reported, never the latest report."""

from __future__ import annotations

from core.model.outbound import DeliveryStatus

RANK = {
    DeliveryStatus.QUEUED: 0,
    DeliveryStatus.SENDING: 1,
    DeliveryStatus.RETRY_WAIT: 1,
    DeliveryStatus.UNKNOWN: 2,
    DeliveryStatus.ACCEPTED: 3,
    DeliveryStatus.SENT: 4,
    DeliveryStatus.UNDELIVERED: 5,
    DeliveryStatus.FAILED: 5,
    DeliveryStatus.DELIVERED: 6,
    DeliveryStatus.READ: 7,
}
_ENDS = (DeliveryStatus.EXPIRED, DeliveryStatus.CANCELLED, DeliveryStatus.DEAD)
_LAST_RANK_BEFORE_END = 2


def reached(current: DeliveryStatus, reported: DeliveryStatus) -> DeliveryStatus:
    """Return where a message stands after a report. Our own ends stop only what no provider has taken."""
    if reported in _ENDS:
        return reported if current not in _ENDS and RANK[current] <= _LAST_RANK_BEFORE_END else current
    if current in _ENDS:
        return reported if RANK[reported] > _LAST_RANK_BEFORE_END else current
    return reported if RANK[reported] > RANK[current] else current


def settled(status: DeliveryStatus) -> bool:
    """Tell whether our part is done: nothing is left to send or to try again."""
    return status in _ENDS or RANK[status] > _LAST_RANK_BEFORE_END
