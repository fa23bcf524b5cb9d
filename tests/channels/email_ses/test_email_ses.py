"""Amazon SES beyond conformance: certificates, the ids of mails, contents as they came."""

from __future__ import annotations

import pytest

from channels.email_ses import CERTIFICATES_MAX, WITHHELD
from channels.sns import Envelope, certificate_path, host_of
from core.model.inbound import AuthenticationFailed, InboundMessage, UnreadableRequest
from tests.channels.email_ses import subject as ses
from tests.channels.mail.posted import AT, MESSAGE
from tests.channels.mail.relay import relay


def test_the_host_follows_from_the_topic() -> None:
    assert host_of(ses.TOPIC) == "sns.us-east-1.amazonaws.com"
    assert host_of("arn:aws-cn:sns:cn-north-1:012345678912:t") == "sns.cn-north-1.amazonaws.com.cn"
    assert host_of("arn:aws-us-gov:sns:us-gov-west-1:012345678912:t") == "sns.us-gov-west-1.amazonaws.com"
    for wrong in ("", "arn:aws:sqs:us-east-1:012345678912:t", "arn:aws:sns:evil.example/:012345678912:t", f"{ses.TOPIC}\n"):
        with pytest.raises(ValueError, match="topic_arn"):
            host_of(wrong)


@pytest.mark.parametrize(
    "content",
    [b"", b"no certificate", ses.certificate(ses.KEY, to_day=-1), ses.certificate(ses.KEY, from_day=1)],
    ids=["nothing", "text", "expired", "not yet valid"],
)
def test_what_is_no_certificate_is_not_taken(content: bytes) -> None:
    with pytest.raises(AuthenticationFailed, match="bad_certificate"):
        ses.adapter().trust(ses.PATH, content, AT)


def test_certificates_are_not_kept_without_end() -> None:
    ours = ses.adapter()
    for number in range(30):
        ours.trust(f"/SimpleNotificationService-{number:032x}.pem", ses.CERTIFICATES[ses.PATH], AT)
    assert len(ours._keys) == CERTIFICATES_MAX


def test_both_encodings_give_the_mail_as_it_came() -> None:
    raw = b"From: jo@customer.example\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\n\xf0\xd2\xc9\xd7\xc5\xd4\r\n"
    (event,) = ses.adapter().parse(ses.posted(ses.notification(ses.received(raw, "BASE64"))))
    assert isinstance(event, InboundMessage)
    assert event.text == "Привет"
    plain = ses.received(raw.decode("latin-1"))
    (event,) = ses.adapter().parse(ses.posted(ses.notification(plain)))
    assert isinstance(event, InboundMessage)
    with pytest.raises(UnreadableRequest, match="encoding"):
        ses.adapter().parse(ses.posted(ses.notification({**ses.received("x", "BASE64"), "content": "%%%"})))


async def test_the_id_is_the_one_that_amazon_gives() -> None:
    async with relay() as server:
        server.answers["DATA"] = "250 Ok 0100018f0000aaaa-11112222-3333-4444-5555-666677778888-000000"
        ours = ses.adapter(smtp_port=server.port, smtp_user="", smtp_password="", configuration_set="reports")
        result = await ours.send(MESSAGE)
        await ours.close()
    assert result.external_id == "0100018f0000aaaa-11112222-3333-4444-5555-666677778888-000000"
    assert isinstance(server.got[0].content, bytes)
    assert b"\r\nX-SES-CONFIGURATION-SET: reports\r\n" in server.got[0].content


def test_settings_that_cannot_work() -> None:
    for wrong in ({"topic_arns": ()}, {"topic_arns": ("x",)}):
        with pytest.raises(ValueError, match="topic_arn"):
            ses.settings(**wrong)


def test_what_raw_message_delivery_posts_is_read_but_not_believed() -> None:
    mail = ses.received("From: jo@customer.example\r\n\r\nhello\r\n")
    for document in (mail, {**ses.notification(""), "Message": mail}):  # the second as tools show a notification
        what = ses.posted(document)
        (event,) = ses.adapter().parse(what)
        assert isinstance(event, InboundMessage)
        assert event.text == "hello"
        with pytest.raises(AuthenticationFailed, match="missing_signature"):
            ses.adapter().authenticate(what)


def test_a_mail_of_which_only_the_header_came_is_for_a_person() -> None:
    header = [{"name": "From", "value": "Jo <jo@customer.example>"}, {"name": "Subject", "value": "hello\r\nBcc: eve@evil.example"}]
    mail = {"source": "jo@customer.example", "destination": ["support@operator.example"], "headers": header}
    stored = {"notificationType": "Received", "mail": mail, "receipt": {"action": {"type": "S3", "bucketName": "b", "objectKey": "k"}}}
    (event,) = ses.adapter().parse(ses.posted(ses.notification(stored)))
    assert isinstance(event, InboundMessage)
    assert event.letter is not None
    assert (event.text, event.letter.automatic, event.letter.cc) == (WITHHELD, "unreadable", ())
    assert (event.sender.value, event.recipient.value) == ("jo@customer.example", "support@operator.example")


@pytest.mark.parametrize(
    ("topic", "host"),
    [
        (ses.TOPIC, "sns.us-east-1.amazonaws.com"),
        ("arn:aws-cn:sns:cn-north-1:012345678912:t", "sns.cn-north-1.amazonaws.com.cn"),
        ("arn:aws-us-gov:sns:us-gov-west-1:012345678912:t", "sns.us-gov-west-1.amazonaws.com"),
    ],
)
def test_a_certificate_is_named_by_the_host_of_the_topic_only(topic: str, host: str) -> None:
    def path_in(url: str) -> str:
        return certificate_path(Envelope({"SigningCertURL": url}), host_of(topic))

    assert path_in(f"https://{host}{ses.PATH}") == ses.PATH
    elsewhere = [
        f"http://{host}{ses.PATH}",
        f"https://{host}:8443{ses.PATH}",
        f"https://{host}@evil.example{ses.PATH}",
        f"https://user@{host}{ses.PATH}",
        f"https://{host}.evil.example{ses.PATH}",
        f"https://evil.example/{host}{ses.PATH}",
        f"https://sns.eu-west-3.amazonaws.com{ses.PATH}",
        f"https://{host.removesuffix('.cn')}.cn.evil.example{ses.PATH}",
        f"https://{host}/bucket{ses.PATH}",
        f"https://{host}{ses.PATH}?x=1",
        f"https://{host}/..{ses.PATH}",
        f"https://{host}/SimpleNotificationService-0a0a0a0a.pem.txt",
        f"//{host}{ses.PATH}",
        "https://[",
        "",
    ]
    for url in elsewhere:
        with pytest.raises(AuthenticationFailed, match="bad_certificate_url"):
            path_in(url)
