"""Counts of what happened, for `/metrics`; labels are ids and codes from the program, never data of a person."""

from __future__ import annotations

from collections import Counter


class Counters:
    """Monotonic counters by name and labels, written out in the Prometheus text format."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()

    def add(self, name: str, amount: int = 1, **labels: str) -> None:
        """Count `amount` more of `parley_<name>_total` with these labels."""
        self._counts[name, tuple(labels.items())] += amount

    def value(self, name: str, **labels: str) -> int:
        """Return a count; 0 if there was none."""
        return self._counts[name, tuple(labels.items())]

    def prometheus(self) -> str:
        """Return all counts in the Prometheus text exposition format."""
        lines: list[str] = []
        seen: set[str] = set()
        for (name, labels), count in sorted(self._counts.items()):
            if name not in seen:
                seen.add(name)
                lines.append(f"# TYPE parley_{name}_total counter")
            text = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels)
            lines.append(f"parley_{name}_total{{{text}}} {count}" if text else f"parley_{name}_total {count}")
        return "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
