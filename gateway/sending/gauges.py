"""What `/metrics` shows of sending besides counts: dead letters by kind, channels that are paused, codes that are not sent."""

from __future__ import annotations

from core.identity import code_limits
from core.store import dead_letters, pauses
from core.store.api import Tx


def of_store(tx: Tx, channels: list[str], now: int) -> str:
    """Return the gauges in the Prometheus text exposition format."""
    paused = {pause.channel_id for pause in pauses.everyone(tx)}
    lines = ["# TYPE parley_dead_letters gauge"]
    lines += [f'parley_dead_letters{{kind="{kind}"}} {count}' for kind, count in sorted(dead_letters.counts(tx, now).items())]
    lines.append("# TYPE parley_sending_paused gauge")
    lines += [f'parley_sending_paused{{channel="{channel}"}} {int(channel in paused)}' for channel in sorted(channels)]
    lines += ["# TYPE parley_code_stops gauge", f"parley_code_stops {len(code_limits.stops(tx, now))}"]
    return "\n".join(lines) + "\n"
