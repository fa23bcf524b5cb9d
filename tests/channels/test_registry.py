"""The registry loads a kind only when it is asked for, and every kind describes itself completely."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import Any

import pytest

from channels.registry import KINDS, Kind, load
from config.problems import ConfigWrong, Where
from config.typed import read

TABLES: dict[str, dict[str, Any]] = {
    "ussd": {"sources": ["192.0.2.0/24"], "screen_budget_chars": 140},
    "sms_twilio": {"account_sid": {"env": "A"}, "auth_token": [{"env": "A"}, {"env": "B"}], "replies": "rest"},
    "whatsapp_twilio": {
        "account_sid": {"env": "A"},
        "auth_token": {"env": "A"},
        "button_sids": [f"HX{1:032x}"],
        "template_sid": f"HX{2:032x}",
    },
    "sms_africastalking": {"username": "operator", "api_key": {"env": "A"}, "sources": ["192.0.2.0/24"]},
    "sms_vonage": {"api_key": "k", "api_secret": {"env": "A"}, "signature_secret": [{"env": "A"}, {"env": "B"}]},
    "telegram": {"bot_token": {"env": "A"}, "webhook_secret": [{"env": "A"}, {"env": "B"}]},
    "sms_plivo": {"auth_id": {"env": "A"}, "auth_token": [{"env": "A"}, {"env": "B"}], "signature": "v2"},
    "sms_infobip": {"api_key": {"env": "A"}, "api_base": "https://x1y2z3.api.infobip.com", "sources": ["192.0.2.0/24"]},
    "voice_twilio": {"account_sid": {"env": "A"}, "auth_token": {"env": "A"}, "voices": ["en-GB Polly.Amy"]},
    "sms_clickatell": {"api_key": {"env": "A"}, "two_way": False, "sources": ["192.0.2.0/24"]},
    "smpp": {"host": "smsc.example", "system_id": "parley", "password": {"env": "P"}, "service": "ussd", "window": 5},
    "http_generic": {"hmac_keys": {"env": "A"}, "send_url": "https://gateway.example/send", "statuses": ["1=delivered"]},
    "email": {"smtp_host": "relay.example", "listen": "lmtp://127.0.0.1:2424", "smtp_user": "parley", "smtp_password": {"env": "A"}},
    "email_ses": {
        "smtp_host": "relay.example",
        "topic_arns": ["arn:aws:sns:eu-west-1:123456789012:mails"],
        "smtp_user": "parley",
        "smtp_password": {"env": "A"},
    },
    "email_mailgun": {"smtp_host": "relay.example", "signing_keys": [{"env": "A"}, {"env": "B"}]},
    "email_sendgrid": {"smtp_host": "relay.example", "basic": {"env": "A"}, "smtp_user": "apikey", "smtp_password": {"env": "B"}},
    "email_postmark": {"smtp_host": "relay.example", "basic": [{"env": "A"}, {"env": "B"}]},
    "webchat": {"origins": ["https://shop.example", "own"], "keys": {"env": "A"}},
    "console": {},
}
SECRET = "0123456789-canary-value"


def test_nothing_is_imported_before_it_is_needed() -> None:
    program = (
        "import sys; import channels.registry as r; heavy = {'aiohttp', 'twilio', 'phonenumbers', 'regex'} & set(sys.modules);"
        "assert not heavy, heavy; r.load('console'); assert 'twilio' not in sys.modules; r.load('sms_twilio');"
        "assert 'twilio' not in sys.modules, 'reading a request needs no library'"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(KeyError):
        load("fax")
    with pytest.raises(KeyError):
        load("ussd", {"other": Kind("other", "channels.ussd", "x")})


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_describes_itself(kind: str) -> None:
    assert KINDS[kind].name == kind
    assert KINDS[kind].summary
    settings = load(kind).settings
    assert settings.__doc__
    assert settings.__dataclass_params__.frozen
    assert [field.name for field in dataclasses.fields(settings) if not field.metadata.get("doc")] == []


@pytest.mark.parametrize("kind", KINDS)
def test_settings_are_read_from_a_configuration_and_hide_secrets(kind: str) -> None:
    def resolve(_reference: object, setting: str) -> str:
        return f"provider:{SECRET}" if "basic" in setting else SECRET

    settings = read(load(kind).settings, TABLES[kind], Where(), resolve)
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("ussd", {"sources": ["nowhere"]}),
        ("ussd", {"screen_budget_chars": 200}),
        ("ussd", {"answer_deadline_s": 0.1}),
        ("sms_twilio", {"account_sid": {"env": "A"}, "auth_token": []}),
        ("sms_twilio", {"account_sid": {"env": "A"}, "auth_token": "plain"}),
        ("sms_twilio", {"account_sid": {"env": "A"}, "auth_token": {"env": "A"}, "replies": "fax"}),
        ("sms_twilio", {"account_sid": {"env": "A"}, "auth_token": {"env": "A"}, "api_base": "ftp://x"}),
        ("whatsapp_twilio", {"account_sid": {"env": "A"}, "auth_token": {"env": "A"}, "button_sids": [f"HX{1:032x}"] * 4}),
        ("whatsapp_twilio", {"account_sid": {"env": "A"}, "auth_token": {"env": "A"}, "template_sid": "MG1"}),
        ("telegram", {"bot_token": "plain", "webhook_secret": {"env": "A"}}),
        ("telegram", {"bot_token": {"env": "A"}, "webhook_secret": []}),
        ("voice_twilio", {"account_sid": {"env": "A"}, "auth_token": {"env": "A"}, "voices": ["English please"]}),
        ("voice_twilio", {"account_sid": {"env": "A"}, "auth_token": {"env": "A"}, "otherwise": ""}),
        ("smpp", {"host": "smsc.example", "system_id": "parley", "password": "plain"}),
        ("smpp", {"host": "smsc.example", "system_id": "parley", "password": {"env": "A"}, "window": 0}),
        ("smpp", {"host": "smsc.example", "system_id": "sixteen characte", "password": {"env": "A"}}),
        ("webchat", {"origins": [], "keys": {"env": "A"}}),
        ("webchat", {"origins": ["https://shop.example/path"], "keys": {"env": "A"}}),
        ("webchat", {"origins": ["*"]}),
        ("webchat", {}),
        ("console", {"width_chars": 1}),
        ("console", {"unknown": 1}),
    ],
)
def test_wrong_settings_are_refused(kind: str, wrong: dict[str, Any]) -> None:
    def resolve(reference: Any, _name: str) -> str:
        if "env" in reference:
            return SECRET
        raise ValueError("not a reference")

    with pytest.raises(ConfigWrong):
        read(load(kind).settings, wrong, Where(), resolve)
