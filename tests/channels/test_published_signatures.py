"""What providers have published of their signatures: figures that were made neither by this project nor by its tests.

- Mailgun: the key, token and signature of its PHP library's `tests/Api/WebhookTest.php`, of `actionmailbox/test` of Ruby on Rails, and of
  the fixtures of the Mailgun bridge in symfony/symfony.
- Amazon SNS: the four messages and the certificate of `tests/FunctionalValidationsTest.php` in aws/aws-php-sns-message-validator, which
  Amazon signed, in version 1 and 2, with a subject and without.

- Twilio: those of its libraries' tests that are about ports and about JSON bodies, of which the URL holds the hash.
- Vonage: the token of `jwt/tests/test_verify_jwt.py` in Vonage/vonage-python-sdk. It bears no hash of a body, which a webhook's token does.

More of Twilio's and Vonage's, Plivo's and SendGrid's figures are beside the tests of those kinds. Nothing can be published where nothing
is signed: Postmark, Clickatell ("Callbacks" of its One API) and Infobip ("Forward to HTTP" of its SMS API) prove themselves by user and
password in the URL, Africa's Talking by nothing but its network. The documentation of the four and the tests of their libraries were
searched for figures (November 2026); Infobip's Subscriptions API can add an HMAC of the body, of which no figure is published.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import pytest

from channels.signatures import check_body_hash, check_twilio
from channels.vonage_signatures import check_token
from core.model.inbound import AuthenticationFailed, RawRequest
from tests.channels.email_mailgun import subject as mailgun
from tests.channels.email_sendgrid import subject as sendgrid
from tests.channels.email_ses import subject as ses
from tests.channels.mail.posted import form, request

SAMPLES_KEY = "key-3ax6xnjp29jd6fds4gc373sgvjxteol0"  # of Mailgun's documentation, as good as public
RAILS_KEY = "tbsy84uSV1Kt3ZJZELY2TmShPRs91E3yL4tzf96297vBCkDWgL"
SYMFONY_KEY = "key-0p6mqbf74lb20gzq9f4dhpn9rg3zyk26"
SIGNED_BY_MAILGUN = [
    (
        SAMPLES_KEY,
        1403645220,
        "5egbgr1vjgqxtrnp65xfznchgdccwh5d6i09vijqi3whgowmn6",
        "9cfc5c41582e51246e73c88d34db3af0a3a2692a76fbab81492842f000256d33",
    ),
    (
        RAILS_KEY,
        1539112500,
        "7VwW7k6Ak7zcTwoSoNm7aTtbk1g67MKAnsYLfUB7PdszbgR5Xi",
        "ef24c5225322217bb065b80bb54eb4f9206d764e3e16abab07f0a64d1cf477cc",
    ),
    (
        SYMFONY_KEY,
        1661590666,
        "fff0ebc59c0516f4ce0823212a2f45e5c67814420b99fe558b",
        "a0cd251821d8fd56a2130b541becc8e441023574e602fe9829a9ab9fbfdea33f",
    ),
]


@pytest.mark.parametrize(("key", "at_s", "token", "signature"), SIGNED_BY_MAILGUN, ids=["mailgun-php", "rails", "symfony"])
def test_the_published_signatures_of_mailgun(key: str, at_s: int, token: str, signature: str) -> None:
    proof = {"timestamp": str(at_s), "token": token, "signature": signature}
    event = {"signature": proof, "event-data": {"event": "delivered"}}
    ours = mailgun.adapter(signing_keys=("another", key))
    for what in (form({**mailgun.parsed_form("hello"), **proof}), request(json.dumps(event).encode(), "application/json")):
        fresh = mailgun.adapter(signing_keys=("another", key))
        fresh.authenticate(replace(what, received_at=at_s * 1_000))
        with pytest.raises(AuthenticationFailed, match="bad_timestamp"):
            fresh.authenticate(what)  # it is years old
    for wrong in ({"token": token[::-1]}, {"timestamp": str(at_s + 1)}, {"signature": signature[::-1]}):
        with pytest.raises(AuthenticationFailed, match="bad_signature"):
            ours.authenticate(replace(form({**mailgun.parsed_form("hello"), **proof, **wrong}), received_at=at_s * 1_000))


CERTIFICATE = b"""-----BEGIN CERTIFICATE-----
MIIF1zCCBL+gAwIBAgIQB9pYWG3Mi7xej22g9pobJTANBgkqhkiG9w0BAQsFADBG
MQswCQYDVQQGEwJVUzEPMA0GA1UEChMGQW1hem9uMRUwEwYDVQQLEwxTZXJ2ZXIg
Q0EgMUIxDzANBgNVBAMTBkFtYXpvbjAeFw0yMTA5MDcwMDAwMDBaFw0yMjA4MTcy
MzU5NTlaMBwxGjAYBgNVBAMTEXNucy5hbWF6b25hd3MuY29tMIIBIjANBgkqhkiG
9w0BAQEFAAOCAQ8AMIIBCgKCAQEAutFqueT3XgP13udzxE6UpbdjOtVO5DwoMpSM
iDNMnGzF1TYH5/R2LPUOBeTB0SkKnR4kpNcUZhicpGD4aKciz/GEZ6wu65xncfT9
H/KBOQwoXYTuClHwp6fYpGzcGFaFoEYMnijL/o4qmTSd+ukglQUgKpsDw4ofw6rU
m2CttJo+GQSNQ9NfGR1h/0J+zsApkeSYrXRx5wNlu87z8os1C/6PBrUHwt3xXeaf
Xzfwut8aRRYsS8BySOA9DAgLfNHlfdQCjKPXKrG/ussgReyWD6n/HH+j7Uha3xos
TzQqJifcxlTq6MxWdPR6fDaJNvqw6DOE7UjUNxHguXHlVfxhlQIDAQABo4IC6TCC
AuUwHwYDVR0jBBgwFoAUWaRmBlKge5WSPKOUByeWdFv5PdAwHQYDVR0OBBYEFAqz
C+vyouneE7mWWLbi9i0UsWUbMBwGA1UdEQQVMBOCEXNucy5hbWF6b25hd3MuY29t
MA4GA1UdDwEB/wQEAwIFoDAdBgNVHSUEFjAUBggrBgEFBQcDAQYIKwYBBQUHAwIw
OwYDVR0fBDQwMjAwoC6gLIYqaHR0cDovL2NybC5zY2ExYi5hbWF6b250cnVzdC5j
b20vc2NhMWIuY3JsMBMGA1UdIAQMMAowCAYGZ4EMAQIBMHUGCCsGAQUFBwEBBGkw
ZzAtBggrBgEFBQcwAYYhaHR0cDovL29jc3Auc2NhMWIuYW1hem9udHJ1c3QuY29t
MDYGCCsGAQUFBzAChipodHRwOi8vY3J0LnNjYTFiLmFtYXpvbnRydXN0LmNvbS9z
Y2ExYi5jcnQwDAYDVR0TAQH/BAIwADCCAX0GCisGAQQB1nkCBAIEggFtBIIBaQFn
AHYAKXm+8J45OSHwVnOfY6V35b5XfZxgCvj5TV0mXCVdx4QAAAF7vfDVkQAABAMA
RzBFAiEA2XfHuy36aqRFiaL8c3md2mH451go8707+fRE0pEdSRACIE/g5FXTUXUZ
PFcmOhm9TZ+uMY1i4CIQ/CKVWln6C3t+AHYAUaOw9f0BeZxWbbg3eI8MpHrMGyfL
956IQpoN/tSLBeUAAAF7vfDVjAAABAMARzBFAiBF1MhhFP0+FQt3daDFfMYoWwnr
muTInrjNpwfzlvQBugIhAPYadFzr+LaxSJoiZEbEHBvTts7bT0M3eCQONA2O7w6n
AHUAQcjKsd8iRkoQxqE6CUKHXk4xixsD6+tLx2jwkGKWBvYAAAF7vfDVdAAABAMA
RjBEAiAtPapmFAuA71ih4NoSd5hJelzAltNQpxDMcDfDyHyU8gIgWxmaa6+2KbBu
9xdv379zvnJACFR7jc+4asl08Dn4aagwDQYJKoZIhvcNAQELBQADggEBAA54QX0u
oFWXfMmv02CGZv4NWo5TapyeeixQ2kKpZHRdVZjxZrw+hoF6HD7P3kGjH8ztyJll
tDxB0qgMltbPhQdScwhA6iTgoaBYqEUC/VHKd4PmmPT6yIsM36NBZVmkGlzl5uNo
/dBgBaG0SsVJnhr5zro3c2quC7n6fVGEZhf/UgQwRnnvThnvbNKguglDMq4uEqv8
njKyleht+glkcmXO0m9qLKt6BOS0amy6U2GlAwRn0Wx02ndJtnRCSC6kPuRWK/SQ
FEjB7gCK4hdKaAOuWdZpI55vF6ifOeM8toC3g7ofO8qLTnJupAG+ZitY5J3cvHWr
HqOUdKigPDHYLRo=
-----END CERTIFICATE-----
"""
CERTIFICATE_PATH = "/SimpleNotificationService-7ff5318490ec183fbaddaa2a969abfda.pem"
TOPIC = "arn:aws:sns:us-east-2:295079676684:publish-and-verify-"
# Version, id, end of the topic, moment, subject, signature.
SIGNED_BY_SNS = [
    (
        "1",
        "792cda85-518f-5dd3-9163-81d851212f3a",
        "892f85fe-4836-424d-8188-ab85bef0f362",
        "2022-07-28T21:23:58.317Z",
        "",
        "ghtf+deOBAzHJJZ6s6CdRLfTQAlcGzq9naoFM1wi0CJiq//uVRuZnamrkWNF0fhouMFvuLVRwcz8PZLUMSfnmd5VpdTKpTyiKmy1qJAZXma0w+yi7G+I33hD1Jyk"
        "1Nbym2n0kqp3fVu2aoooiN2ZeLAT2bH0/BtjLSfN1yAOKNoprco4qV9gGUZinXJdj9a1YdNhDR2jKi33ldlsVtEXAtiaDklGEk7DgRKX38GerBPiLg3FdtgY6KC7"
        "cdeGpU/dGK+4hjc83Ive1HoFkAwqhpgInM2sMytBosoiXfCmOKmU4xeGD0gHDNZTlJUJQDlzw8Eag0H9f/5zXF9d3uy0YQ==",
    ),
    (
        "2",
        "17dea24b-55c2-540b-8362-f916557af765",
        "62674b1d-4295-426b-88e7-5fb75652a04e",
        "2022-07-28T21:24:08.324Z",
        "",
        "CXVqp9PfZAL+4JHS3Zxo1PFbQsvnOjvmYhtIf17TWpwc+iIVas8kZ8GopuzVzVMdatE7rCl/O4P91Zp05Dwz8lk8dLhfp8gSu3Njlzxlyrmzo9x3va3Jb7zFnedg"
        "S2GKnZWHGBdwTXho+TosNUE+3e10OMSlwN5XGDwX7+R3WL+rn+AXmFAqp3alg27sYa55h1dLE9cGszGPjScPdtF3BmZsUDMx9wSdNKsCk+vSvE8yBjnCmUl7laSF"
        "j3LzPVrlSwgNYCF3kYnNAkah7NplK4SFhJYLwS0HCVCQJKa8rVbQLf9cBTu60U402mrgy0bN8xWoyimzbYbrOMJjalqkUg==",
    ),
    (
        "1",
        "11405cc3-9ac7-56d5-b45d-079e8f7a8edf",
        "6e11fed2-fcdf-4c52-9dc4-36ef43f37f84",
        "2022-07-28T22:53:49.654Z",
        "Hello world",
        "AItkS26d8yvnIKJevdirIPW7eM/yKbZy3/CF2EreCHmXWB3etWaV5Fb7SYpGABMpugpDZzNyGY1wCVWaopDoQ+7Q/kI2TpDu8bw1eExbi8U3kduvc/2m2fIrI4gD"
        "EY8/v3nzoLcr8pPodqMzrX6SzQou4klfaqbNK+rFmH0LVf2Q1VyOROODoSXmo4jg2Yu12jfxccBl96Drr/ihq4MJ4OcrWh6UzXXlVYjJHx2Ui4anNwNEb+Z4C2CA"
        "F1DjQUbhDtaoajDBPY+4d9C1OwbqwQpXsd6tyVcI9nFyEsVK8lfnAV+/3GZQcdXHbIUYBRGcBa4X5TlWJku5nDH2ERtHHw==",
    ),
    (
        "2",
        "4504e649-d933-5aa9-8199-bd14ccf05f0b",
        "530b26da-0687-4fe4-9f71-780bad3181e2",
        "2022-07-28T22:53:55.086Z",
        "Hello world",
        "cETcSvmmkt+My05qCLKexyl0+RyG83mSryKPqTfS+tYcxDJWVcjPJAr+qdpElzVaBl1aTGYVWMY64i9JqZ/JES8pylNj8LGvdhuNQKO59/WCoIimZAsNhn0xEgOe"
        "eDU+W/0BU4sdpCGMNjo0S/FuIiWaRe4E0YWRVrxeQevaQ70euDdfWgd5v1eCKQz8b367b9XBmMztL/CWUFI6YaKK/MV21eyvJe3Y7CtVYiOKEYiAZnAEkynK7gUG"
        "O5TsgDjGNYhj6U3xYsWgI03bmioSl7kdFSUj+AZ7ugas5fghqxgoDsdfqsjMYKRm5KKHQWsgzI619yIzpNKUiSMHxdZXpQ==",
    ),
]


@pytest.mark.parametrize(
    ("version", "message_id", "topic", "timestamp", "subject", "signature"),
    SIGNED_BY_SNS,
    ids=["version 1", "version 2", "version 1 with subject", "version 2 with subject"],
)
def test_the_published_messages_of_sns(version: str, message_id: str, topic: str, timestamp: str, subject: str, signature: str) -> None:
    at = round(datetime.fromisoformat(timestamp).timestamp() * 1_000)
    document = {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": f"{TOPIC}{topic}",
        **({"Subject": subject} if subject else {}),
        "Message": "Hello world",
        "Timestamp": timestamp,
        "SignatureVersion": version,
        "Signature": signature,
        "SigningCertURL": f"https://sns.us-east-2.amazonaws.com{CERTIFICATE_PATH}",
        "UnsubscribeURL": "https://sns.us-east-2.amazonaws.com/?Action=Unsubscribe",
    }
    ours = ses.adapter(topic_arns=(f"{TOPIC}{topic}",))
    ours.trust(CERTIFICATE_PATH, CERTIFICATE, at)

    def posted(**changed: str) -> RawRequest:
        return replace(ses.posted({**document, **changed}), received_at=at)

    ours.authenticate(posted())
    ours.authenticate(posted(UnsubscribeURL="https://sns.us-east-2.amazonaws.com/?Action=Other"))  # it is not signed, and not used
    wrong = {
        "bad_signature": {"Message": "Hello worlds"},
        "other_topic": {"TopicArn": f"{TOPIC}another"},
        "bad_certificate_url": {"SigningCertURL": f"https://sns.us-east-2.amazonaws.com.evil.example{CERTIFICATE_PATH}"},
    }
    for code, changed in wrong.items():
        with pytest.raises(AuthenticationFailed, match=code):
            ours.authenticate(posted(**changed))
    for changed in ({"Subject": "Another"}, {"SignatureVersion": "3"}, {"SignatureVersion": "2" if version == "1" else "1"}):
        with pytest.raises(AuthenticationFailed, match="bad_signature"):
            ours.authenticate(posted(**changed))
    with pytest.raises(AuthenticationFailed, match="bad_timestamp"):
        ours.authenticate(replace(posted(), received_at=at + 2 * 86_400_000))
    with pytest.raises(AuthenticationFailed, match="bad_certificate"):
        ses.adapter().trust(CERTIFICATE_PATH, CERTIFICATE, at + 30 * 86_400_000)  # it ended in August 2022


TWILIO_TOKEN = "12345"
TWILIO_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
TWILIO_FORM = {"CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234", "From": "+14158675309", "To": "+18005551212"}
TWILIO_BODY = b'{"property": "value", "boolean": true}'
TWILIO_HASH = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"


@pytest.mark.parametrize(
    ("url", "signature"),
    [
        (TWILIO_URL, "kvajT1Ptam85bY51eRf/AJRuM3w="),  # signed with port 443
        (TWILIO_URL.replace("https", "http"), "0ZXoZLH/DfblKGATFgpif+LLRf4="),  # with port 80
        (TWILIO_URL.replace(".com", ".com:1234"), "RSOYDt4T1cUTdK1PDd93/VVr8B8="),  # without a port
    ],
)
def test_the_published_signatures_of_twilio_with_ports(url: str, signature: str) -> None:
    form = {name: (value,) for name, value in TWILIO_FORM.items()}
    check_twilio((TWILIO_TOKEN,), url, form, signature)
    with pytest.raises(AuthenticationFailed, match="bad_signature"):
        check_twilio((TWILIO_TOKEN,), url.replace("mycompany", "yourcompany"), form, signature)


@pytest.mark.parametrize(
    ("url", "signature"),
    [
        (f"{TWILIO_URL}&bodySHA256={TWILIO_HASH}", "a9nBmqA0ju/hNViExpshrM61xv4="),
        (f"https://mycompany.com/myapp.php?bodySHA256={TWILIO_HASH}", "y77kIzt2vzLz71DgmJGsen2scGs="),
    ],
)
def test_the_published_signatures_of_twilio_for_json(url: str, signature: str) -> None:
    check_twilio((TWILIO_TOKEN,), url, {}, signature)
    check_body_hash(url, TWILIO_BODY)
    with pytest.raises(AuthenticationFailed, match="bad_body_hash"):
        check_body_hash(url, TWILIO_BODY + b" ")


def test_the_published_token_of_vonage() -> None:
    token = (
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9"
        ".eyJpc3MiOiJPbmxpbmUgSldUIEJ1aWxkZXIiLCJpYXQiOjE2OTc2MzQ2ODAsImV4cCI6MzMyNTQ1NDA4MjgsImF1ZCI6IiIsInN1YiI6IiJ9"
        ".88vJc3I2HhuqEDixHXVhc9R30tA6U_HQHZTC29y6CGM"
    )
    with pytest.raises(AuthenticationFailed, match="bad_body_hash"):  # only the hash is missing, the signature is right
        check_token(("another", "qwertyuiopasdfghjklzxcvbnm123456"), f"Bearer {token}", b"{}")
    for secrets, given in ((("asdf",), token), (("qwertyuiopasdfghjklzxcvbnm123456",), token[:-1]), (("asdf",), "asdf")):
        with pytest.raises(AuthenticationFailed, match="bad_signature"):
            check_token(secrets, f"Bearer {given}", b"{}")


def test_the_published_signature_of_sendgrid_for_several_events() -> None:
    """From `eventwebhook.spec.js` of the npm package @sendgrid/eventwebhook: after each event stands the end of a line."""
    key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQ4LIFtWztlsF7skFqOncjD1lun4H5w8XOhyOArHW9RcIx/FfEzx6cikC/yPfUvwaX/JScE7Fc9CJD2afQ9Ok3Q=="
    signature = "MEYCIQC/I4o6vCgqRYrTljjoVWB/GRWNtxeePlLMHr3x9ETeRQIhAIpV+03nREPTTHWSW0wIOA0EoMPdcNgXa70yCaqDJlu5"
    common = {"email": "invalid@gmail.com"}
    message = {
        "sg_message_id": "qNwBLgPQQjW6DJvKQwSAbw.filterdrecv-canary-547b64655b-cw6zx-1-6089EA4A-56.0",
        "smtp-id": "<qNwBLgPQQjW6DJvKQwSAbw@ismtpd0178p1mdw1.sendgrid.net>",
    }
    processed = {"event": "processed", "send_at": 0, "sg_event_id": "cHJvY2Vzc2VkLTE5OTQyMTEyLXFOd0JMZ1BRUWpXNkRKdktRd1NBYnctMA"}
    reason = (
        "552 5.2.2 The email account that you tried to reach is over quota and inactive. Please direct the recipient to "
        "https://support.google.com/mail/?p=OverQuotaPerm c17si1130468pgv.34 - gsmtp"
    )
    bounced = {"event": "bounce", "ip": "167.89.101.76", "reason": reason}
    bounced["sg_event_id"] = "Ym91bmNlLTAtMTk5NDIxMTItcU53QkxnUFFRalc2REp2S1F3U0Fidy0w"
    events = [
        {**common, **processed, **message, "timestamp": 1619651146},
        {**common, **bounced, **message, "status": "5.2.2", "timestamp": 1619651147, "tls": 1, "type": "blocked"},
    ]
    body = json.dumps(events, separators=(",", ":")).replace("},{", "},\r\n{").encode() + b"\r\n"
    headers = {
        "content-type": "application/json",
        sendgrid.SIGNATURE: signature,
        sendgrid.TIMESTAMP: "1619651159",
    }
    ours = sendgrid.adapter(verification_keys=(key,), basic=(), sources=())
    ours.authenticate(RawRequest("POST", "", headers, body, 1_619_651_159_000))
    with pytest.raises(AuthenticationFailed, match="bad_signature"):
        ours.authenticate(RawRequest("POST", "", headers, body.strip(), 1_619_651_159_000))
