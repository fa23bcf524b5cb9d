"""Each provider of mails with a whole gateway: a mail in, the answer out through a relay in its thread, the report on the record."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from config.load import DEMO
from core.model.inbound import RawRequest
from tests.channels.email_mailgun import subject as mailgun
from tests.channels.email_postmark import subject as postmark
from tests.channels.email_sendgrid import subject as sendgrid
from tests.channels.email_ses import subject as ses
from tests.channels.mail.posted import HEAD, form, multipart, request
from tests.channels.mail.relay import Relay, relay
from tests.channels.stand_in import StandIn
from tests.conformance.subject import Subject, subject_of
from tests.gateway.running import Running, running

PATIENCE_S = 60
KINDS = ("email_sendgrid", "email_mailgun", "email_postmark", "email_ses")


def told(document: object) -> RawRequest:
    return request(json.dumps(document).encode(), "application/json")


def report(kind: str, message_id: str) -> RawRequest:
    """Return how a provider says that a message was delivered."""
    mail_id = f"parley.{message_id}@operator.example"
    reports: dict[str, Callable[[], RawRequest]] = {
        "email_sendgrid": lambda: told([{"email": "jo@customer.example", "event": "delivered", "smtp-id": f"<{mail_id}>"}]),
        "email_mailgun": lambda: told({"event-data": {"event": "delivered", "user-variables": {"parley": message_id}}}),
        "email_postmark": lambda: told({"RecordType": "Delivery", "MessageID": "x", "Metadata": {"parley": message_id}}),
        "email_ses": lambda: ses.posted(
            ses.notification(
                {
                    "notificationType": "Delivery",
                    "mail": {"messageId": "y", "commonHeaders": {"messageId": f"<{mail_id}>"}},
                    "delivery": {"recipients": ["jo@customer.example"]},
                },
                TopicArn=ses.REPORTS,
            )
        ),
    }
    return reports[kind]()


def large(kind: str) -> RawRequest:
    """Return a mail with a file of two megabytes, more than any other request may have."""
    file = b"\x00\x01" * 1_000_000
    reports: dict[str, Callable[[], RawRequest]] = {
        "email_sendgrid": lambda: multipart(sendgrid.parsed_form("see file"), [("attachment1", "a.bin", "application/x-thing", file)]),
        "email_mailgun": lambda: multipart(mailgun.parsed_form("see file"), [("attachment-1", "a.bin", "application/x-thing", file)]),
        "email_postmark": lambda: postmark.posted(
            postmark.inbound("see file", Attachments=[{"Name": "a.bin", "ContentType": "application/x-thing", "Content": "AAEA" * 700_000}])
        ),
        "email_ses": lambda: ses.posted(ses.notification(ses.received("".join(f"{n}: {v}\r\n" for n, v in HEAD.items()) + "\r\nsee file"))),
    }
    return reports[kind]()


def configured(subject: Subject, folder: Path, relay_port: int, api_base: str) -> Path:
    """Return the configuration of the demo operator with the provider's channel beside its own."""
    lines = ["[channels.other]", f'kind = "{subject.kind}"', f'address = "{subject.message.sender.value}"']
    known = {
        "smtp_port": relay_port,
        "smtp_user": "",
        "smtp_password": "",
        **({"api_base": api_base} if subject.kind == "email_ses" else {}),
    }
    for field in dataclasses.fields(subject.settings):
        value = known.get(field.name, getattr(subject.settings, field.name))
        if value in {field.default, ()}:
            continue
        if not field.repr:
            (folder / field.name).write_text(value[0])
            value = f'{{ file = "{field.name}" }}'
        else:
            value = json.dumps(list(value) if isinstance(value, tuple) else value)
        lines.append(f"{field.name} = {value}")
    path = folder / "parley.toml"
    path.write_text("\n".join([DEMO.read_text("utf-8"), *lines]) + "\n")
    return path


class Told:
    """A gateway with the provider around it."""

    def __init__(self, parley: Running, subject: Subject, server: Relay, provider: StandIn) -> None:
        self.parley, self.subject, self.server, self.provider = parley, subject, server, provider

    async def post(self, what: RawRequest) -> int:
        what = self.subject.authentic(replace(what, received_at=self.parley.gateway.clock.now_ms()))
        return (await self.parley.post("other", data=io.BytesIO(what.body), headers=dict(what.headers)))[0]

    async def rows(self, sql: str, wanted: Callable[[list[Any]], object]) -> list[Any]:
        """Return rows once they are as wanted."""
        async with asyncio.timeout(PATIENCE_S):
            with self.parley.gateway.hints.listen("events", "outbox", "kept_requests") as listener:
                while not wanted(rows := await self.parley.rows(sql)):
                    await listener.wait(0.1)
        return rows


@asynccontextmanager
async def around_a_gateway(folder: Path, kind: str, provider: StandIn) -> AsyncIterator[Told]:
    """Run a gateway with the provider's channel, its relay and what it asks of the provider."""
    subject = subject_of(kind)
    async with AsyncExitStack() as stack:
        server, base = await stack.enter_async_context(relay()), await stack.enter_async_context(provider.running())
        path = configured(subject, folder, server.port, base)
        parley = await stack.enter_async_context(running(folder / "data", config=path))
        yield Told(parley, subject, server, provider)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_mail_its_answer_and_the_report(tmp_path: Path, kind: str) -> None:
    provider = StandIn(200, text=ses.CERTIFICATES[ses.PATH].decode())
    async with around_a_gateway(tmp_path, kind, provider) as around:
        parley, subject, server = around.parley, around.subject, around.server
        said = subject.says("Hello", {})
        assert await around.post(said) == 200
        assert await around.post(said) == 200  # once more, as providers do
        sql = "select id, status from message where direction = 'outbound' and channel_id = 'other'"
        ((message_id, _),) = await around.rows(sql, lambda rows: rows and rows[0][1] == "accepted")
        (mail,) = [message_from_bytes(got.content) for got in server.got if isinstance(got.content, bytes)]
        assert (mail["To"], mail["In-Reply-To"], mail["Auto-Submitted"]) == ("jo@customer.example", HEAD["Message-ID"], "auto-replied")
        assert mail["Reply-To"].startswith("support+")
        assert await around.post(report(kind, message_id)) == 200
        await around.rows(sql, lambda rows: rows[0][1] == "delivered")
        forged = subject.forgeries["another network" if kind != "email_ses" else "another key"](said)
        if kind != "email_ses":
            forged = next(iter(subject.forgeries.values()))(said)
        assert (await parley.post("other", data=forged.body, headers=dict(forged.headers)))[0] == 403
        assert await around.post(large(kind)) == 200
        await around.rows("select id from message where text = 'see file'", len)
        assert len(await parley.rows("select 1 from message where direction = 'inbound' and channel_id = 'other'")) == 2


async def test_a_subscription_is_confirmed_once_and_only_for_our_topic(tmp_path: Path) -> None:
    provider = StandIn(200, text=ses.CERTIFICATES[ses.PATH].decode())
    async with around_a_gateway(tmp_path, "email_ses", provider) as around:
        parley = around.parley
        url = f"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={ses.TOPIC}&Token=t1"
        known = {"Type": "SubscriptionConfirmation", "Token": "t1", "SubscribeURL": url}
        asked = ses.posted(ses.notification("You have chosen to subscribe", **known))
        assert [await around.post(asked), await around.post(asked)] == [200, 200]
        assert [call.target for call in provider.calls] == [ses.PATH, f"/?{url.partition('?')[2]}"]
        for wrong in (
            {"TopicArn": ses.TOPIC.replace("example", "other")},
            {"SubscribeURL": url.replace("amazonaws.com", "evil.example")},
            {"SubscribeURL": url.replace("ConfirmSubscription", "DeleteTopic")},
            {"SubscribeURL": url + "&TopicArn=other"},
        ):
            await around.post(ses.posted(ses.notification("x", **{**known, "Token": "t2", **wrong})))
        forged = ses.by(ses.OTHER)(replace(asked, received_at=parley.gateway.clock.now_ms()))
        assert (await parley.post("other", data=forged.body))[0] == 403
        assert len(provider.calls) == 2


async def test_where_amazon_cannot_be_asked_the_notification_comes_again(tmp_path: Path) -> None:
    provider = StandIn(500, text="")
    async with around_a_gateway(tmp_path, "email_ses", provider) as around:
        subject = around.subject
        assert await around.post(subject.says("Hello", {})) == 503
        provider.status, provider.text = 200, "no certificate"
        assert await around.post(subject.says("Hello", {})) == 403
        provider.text = ses.CERTIFICATES[ses.PATH].decode()
        assert await around.post(subject.says("Hello", {})) == 200
        assert await around.post(subject.says("Hello again", {})) == 200
        assert len(provider.calls) == 3


async def test_a_mail_whose_text_stayed_at_amazon_is_work_for_a_person(tmp_path: Path) -> None:
    provider = StandIn(200, text=ses.CERTIFICATES[ses.PATH].decode())
    async with around_a_gateway(tmp_path, "email_ses", provider) as around:
        header = [{"name": name, "value": value} for name, value in {**HEAD, "Subject": "My bill"}.items()]
        mail = {"source": "jo@customer.example", "destination": ["support@operator.example"], "headers": header}
        action = {"type": "S3", "bucketName": "mails", "objectKey": "k1", "topicArn": ses.TOPIC}
        stored = {"notificationType": "Received", "mail": mail, "receipt": {"recipients": ["support@operator.example"], "action": action}}
        assert await around.post(ses.posted(ses.notification(stored))) == 200
        assert await around.rows("select reason, state from work_item", len) == [("unreadable_mail", "waiting")]
        assert await around.parley.rows("select automatic from letter") == [("unreadable",)]
        assert not around.server.got  # nobody is answered before somebody has read the mail


async def test_a_file_that_stayed_at_mailgun_is_named_and_not_fetched(tmp_path: Path) -> None:
    async with around_a_gateway(tmp_path, "email_mailgun", StandIn(200)) as around:
        left = [{"url": "https://storage.api.mailgun.net/v3/x/0", "name": "bill.pdf", "content-type": "application/pdf", "size": 9}]
        assert await around.post(form(mailgun.parsed_form("see file", attachments=json.dumps(left)))) == 200
        wanted = "select name, content_type, state from media"
        rows = await around.rows(wanted, lambda found: found and found[0][2] not in {"waiting", "fetching"})
        assert rows == [("bill.pdf", "application/pdf", "refused")]
        assert await around.parley.rows("select text from message where channel_id = 'other' and direction = 'inbound'") == [("see file",)]
