"""Reads a request once, though `authenticate` and `parse` of an adapter are asked one after the other and both need what is in it.

Must not keep a request longer than for these two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from core.model.inbound import RawRequest

T = TypeVar("T")


class Once(Generic[T]):
    """What `read` makes of the last request; whatever it raises, it raises each time."""

    def __init__(self, read: Callable[[RawRequest], T]) -> None:
        self._read = read
        self._last: tuple[RawRequest, T] | None = None

    def of(self, request: RawRequest) -> T:
        """Return what is in `request`."""
        last = self._last
        if last is not None and last[0] is request:
            self._last = None
            return last[1]
        found = self._read(request)
        self._last = (request, found)
        return found
