"""docs/channels.md names every code that an adapter uses, every frame and every status."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from channels import twilio_messages, twilio_rest, webchat
from core.model.address import AddressKind
from core.model.inbound import ContactSignal, DeliveryReport, Ignored, InboundMessage

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "channels.md").read_text("utf-8")
CALLS = {"AuthenticationFailed", "UnreadableRequest", "Ignored", "NotAForm", "forms.NotAForm"}


def codes() -> Iterator[str]:
    """Yield every stable code that stands in an adapter."""
    for path in sorted((ROOT / "channels").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in CALLS and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)


def test_every_code_is_described() -> None:
    found = set(codes())
    assert {"bad_signature", "bad_number", "session_ended", "encoding"} <= found
    assert sorted(code for code in found if f"`{code}`" not in PAGE) == []


@pytest.mark.parametrize("event", [InboundMessage, DeliveryReport, ContactSignal, Ignored])
def test_every_field_of_an_event_is_described(event: type) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{event.__name__}` |")]
    assert [field.name for field in fields(event) if f"`{field.name}`" not in row and field.name != "raw"] == []


def test_every_frame_status_address_and_error_code_is_described() -> None:
    named = [*webchat._FRAMES, *twilio_messages.STATUS.values(), *AddressKind]
    assert [name for name in named if f"`{name}`" not in PAGE] == []
    numbers = twilio_rest._OPTED_OUT | twilio_rest._BAD_ADDRESS | twilio_rest._TOO_LONG | twilio_rest._THROTTLED
    numbers |= twilio_rest._CREDENTIALS | twilio_rest._OUR_FAULT | twilio_rest._WINDOW_CLOSED
    assert sorted(number for number in numbers if str(number) not in PAGE) == []
