"""What a message is given right before it leaves, and tickets and addresses that nobody can make up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.address import Address, AddressKind
from core.model.capabilities import FileLimits
from core.model.ids import MessageId
from core.model.inbound import Media
from core.model.outbound import OutboundMessage, Reply, SendError, SendErrorCode
from gateway.media.outgoing import with_contents
from gateway.media.signed import Signer
from tests.core.routing.people import new_id
from tests.gateway.running import Running, running

NUMBER = Address(AddressKind.MSISDN, "+254700000001")
NOW = 1_790_000_000_000
ONE, OTHER = Signer(b"1" * 32), Signer(b"2" * 32)


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as started:
        yield started


def carrying(*media: Media) -> OutboundMessage:
    return OutboundMessage(MessageId(new_id()), NUMBER, NUMBER, Reply("look", media=media))


async def test_an_adapter_gets_bytes_or_an_address_and_no_digest(parley: Running) -> None:
    digest = parley.gateway.blobs.keep(b"%PDF-1.7 bill")
    file = Media("document", content_type="application/pdf", name="bill.pdf", values={"digest": digest, "size": "13"})
    message = carrying(file)
    (whole,) = (await with_contents(parley.gateway, message, FileLimits())).reply.media
    assert (whole.content, whole.url, whole.values, whole.name) == (b"%PDF-1.7 bill", "", {}, "bill.pdf")
    (named,) = (await with_contents(parley.gateway, message, FileLimits(by_address=True))).reply.media
    assert (named.content, named.values) == (b"", {})
    assert named.url.startswith(f"{parley.gateway.url}/m/")
    assert digest not in named.url


async def test_what_is_elsewhere_stays_as_it_is(parley: Running) -> None:
    for message in (carrying(), carrying(Media("image", "https://shop.example/a.png"))):
        assert await with_contents(parley.gateway, message, FileLimits(by_address=True)) == message


async def test_a_content_that_is_gone_is_not_sent_without_it(parley: Running) -> None:
    with pytest.raises(SendError) as caught:
        await with_contents(parley.gateway, carrying(Media("image", values={"digest": "0" * 64, "size": "1"})), FileLimits())
    assert (caught.value.code, caught.value.retryable, caught.value.ours) == (SendErrorCode.UNSUPPORTED, False, True)


@given(st.lists(st.text(max_size=50), max_size=5))
def test_a_token_says_what_was_signed_until_it_ends(values: list[str]) -> None:
    token = ONE.sign(values, NOW)
    assert ONE.read(token, NOW - 1) == values
    assert ONE.read(token, NOW) is None
    assert OTHER.read(token, NOW - 1) is None


@given(st.text(max_size=200), st.integers(0, 60), st.characters())
def test_whatever_else_comes_is_nothing(text: str, place: int, character: str) -> None:
    token = ONE.sign(["a", "b"], NOW)
    changed = token[:place] + character + token[place + 1 :]
    assert ONE.read(text, 0) is None
    assert changed == token or ONE.read(changed, 0) is None
