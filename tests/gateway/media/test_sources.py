"""From where each provider's attachments are fetched, and who is shown the password."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from core.model.adapter import HasMedia
from core.model.inbound import Media
from core.model.outbound import SendError, SendErrorCode
from gateway.media.fetch import Fetcher, FetchFailed
from tests.channels.sms_plivo import subject as plivo
from tests.channels.sms_twilio import subject as twilio
from tests.channels.telegram import subject as telegram
from tests.channels.whatsapp_twilio import subject as whatsapp
from tests.gateway.media.provider import Provider, answers, png

PICTURE = png()


@asynccontextmanager
async def used(adapter: Any) -> AsyncIterator[Any]:
    """Close an adapter that holds connections in the end."""
    yield adapter
    await adapter.close()


@pytest.mark.parametrize("made", [twilio.adapter, whatsapp.adapter])
async def test_twilio_asks_for_the_password_of_the_account_whose_file_it_is(made: Any) -> None:
    async with used(made("https://api.twilio.com")) as adapter:
        assert isinstance(adapter, HasMedia)
        ours = await adapter.media_source(
            Media("image", f"https://api.twilio.com/2010-04-01/Accounts/{twilio.ACCOUNT}/Messages/MM1/Media/ME1")
        )
        assert ours.hosts[0] == "api.twilio.com"
        assert "mms.twiliocdn.com" in ours.hosts
        assert ours.headers["Authorization"].startswith("Basic ")
        others = await adapter.media_source(Media("image", "https://api.twilio.com/2010-04-01/Accounts/ACother/Messages.json"))
        assert others.headers == {}


async def test_plivo_is_shown_the_password_at_whichever_of_its_hosts_the_file_is() -> None:
    async with used(plivo.adapter("https://api.plivo.com")) as adapter:
        for host in ("media.plivo.com", "api.plivo.com", "aps1.media.plivo.com"):
            source = await adapter.media_source(Media("document", f"https://{host}/Account/MA1/Message/1/Media/2"))
            assert source.hosts[0] == host
            assert source.headers["Authorization"].startswith("Basic ")
        elsewhere = await adapter.media_source(Media("document", "https://evil.example/x"))
        assert "evil.example" not in elsewhere.hosts


async def test_telegram_is_asked_where_the_file_is_and_then_for_the_file() -> None:
    async with Provider().running() as provider, used(telegram.adapter(provider.url)) as adapter:
        token = telegram.settings(provider.url).bot_token
        told = b'{"ok": true, "result": {"file_id": "F1", "file_unique_id": "U1", "file_path": "photos/file 1.png"}}'
        provider.files[f"/bot{token}/getFile"] = answers(body=told, Content_Type="application/json")
        provider.files[f"/file/bot{token}/photos/file 1.png"] = PICTURE
        source = await adapter.media_source(Media("image", values={"file_id": "F1"}))
        fetcher = Fetcher(1_000_000)
        assert await fetcher.fetch(source, (provider.url,)) == PICTURE
        await fetcher.close()
        assert token not in repr(source), "the address of a file holds the token of the bot"


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        (400, "Bad Request: file is too big", SendErrorCode.TOO_LONG),
        (400, "Bad Request: wrong file_id or the file is temporarily unavailable", SendErrorCode.REFUSED),
        (502, "Bad Gateway", SendErrorCode.PROVIDER_DOWN),
    ],
)
async def test_what_telegram_does_not_give_out_is_told_for_what_it_is(status: int, said: str, code: SendErrorCode) -> None:
    async with Provider().running() as provider, used(telegram.adapter(provider.url)) as adapter:
        token = telegram.settings(provider.url).bot_token
        body = f'{{"ok": false, "error_code": {status}, "description": "{said}"}}'.encode()
        provider.files[f"/bot{token}/getFile"] = answers(status, body, Content_Type="application/json")
        with pytest.raises(SendError) as failed:
            await adapter.media_source(Media("image", values={"file_id": "F1"}))
        assert failed.value.code is code
        assert failed.value.retryable is (code is SendErrorCode.PROVIDER_DOWN)


async def test_a_path_on_the_machine_of_a_bot_server_is_no_address() -> None:
    async with Provider().running() as provider, used(telegram.adapter(provider.url)) as adapter:
        token = telegram.settings(provider.url).bot_token
        told = b'{"ok": true, "result": {"file_id": "F1", "file_unique_id": "U1", "file_path": "../../etc/passwd"}}'
        provider.files[f"/bot{token}/getFile"] = answers(body=told, Content_Type="application/json")
        source = await adapter.media_source(Media("image", values={"file_id": "F1"}))
        fetcher = Fetcher(1_000_000)
        with pytest.raises(FetchFailed):
            await fetcher.fetch(source, (provider.url,))
        await fetcher.close()
