"""Settings from file, environment and command line: what wins, and what is said of mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.environment import variables
from config.keys import Keys
from config.load import DEMO, load
from config.problems import ConfigWrong
from config.settings import Settings
from gateway.configured import make_channels

MINE = """\
mode = "demo"

[operator]
name = "Mine"
country = "FR"
currency = "EUR"
languages = ["fr"]

[server]
port = 8081
"""

PRODUCTION = """\
[server]
public_url = "https://chat.example.com"
[operator]
name = "Mine"
country = "FR"
currency = "EUR"
[backend]
url = "https://bss.example.com/tmf"
[channels.ussd]
kind = "ussd"
address = "*100#"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def problems(path: Path | None, environ: dict[str, str] | None = None, overrides: dict[str, Any] | None = None) -> list[str]:
    """Return what is wrong, a line for each mistake, with the folder left out."""
    try:
        load(path, environ or {}, overrides)
    except ConfigWrong as wrong:
        folder = f"{path.parent}/" if path else ""
        return [str(problem).replace(folder, "") for problem in wrong.problems]
    return []


def test_the_demo_operator_is_there_without_a_file() -> None:
    settings = load(None, {})
    assert (settings.mode, settings.operator.country, settings.operator.currency) == ("demo", "KE", "KES")
    assert settings.operator.languages == ("en", "fr", "sw")
    assert {channel.id: (channel.kind, channel.address) for channel in settings.channels.values()} == {
        "ussd": ("ussd", "*384*100#"),
        "sms": ("sms_twilio", "+254711082000"),
        "web": ("webchat", "demo-chat"),
        "voice": ("voice_twilio", "+254711082000"),
        "whatsapp": ("whatsapp_twilio", "+254711082000"),
        "telegram": ("telegram", "@demo_telecom_bot"),
        "mail": ("email", "help@demo-telecom.example"),
    }


def test_the_command_line_wins_over_the_environment_which_wins_over_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, MINE)
    assert load(path, {}).server.port == 8081
    assert load(path, {"PARLEY_SERVER_PORT": "8082"}).server.port == 8082
    assert load(path, {"PARLEY_SERVER_PORT": "8082"}, {"server.port": 8083}).server.port == 8083


def test_the_environment_sets_lists_and_single_texts(tmp_path: Path) -> None:
    environ = {"PARLEY_OPERATOR_LANGUAGES": "fr, en", "PARLEY_OPERATOR_DEFAULT_LANGUAGE": "en", "PARLEY_SERVER_HOST": "0.0.0.0"}
    settings = load(written(tmp_path, MINE), environ)
    assert settings.operator.languages == ("fr", "en")
    assert settings.operator.default_language == "en"
    assert settings.server.host == "0.0.0.0"


def test_every_single_value_has_a_variable() -> None:
    names = [name for name, _, _, _ in variables()]
    assert "PARLEY_DESK_SESSION_IDLE_S" in names
    assert "PARLEY_MODE" in names
    assert len(names) == len(set(names))


def test_all_mistakes_of_all_sources_are_told_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, MINE + "prot = 1\n[desk]\nqueues = []\n[channels.Web]\nkind = 'webchat'\n[nonsense]\n")
    found = problems(path, {"PARLEY_SERVER_PORT": "http", "PARLEY_SEVER_HOST": "x"}, {"server.body_max_bytes": 5})
    assert found == [
        "mine.toml:16: nonsense: unknown setting",
        "mine.toml:11: server.prot: unknown setting (did you mean 'port'?)",
        "command line: server.body_max_bytes: must be between 1024 and 67108864, not 5",
        "mine.toml:12: desk: queues must name at least one queue",
        "PARLEY_SERVER_PORT: must be a whole number, not 'http'",
        "PARLEY_SEVER_HOST: unknown setting in the environment (did you mean 'PARLEY_SERVER_HOST'?)",
        "mine.toml:14: channels.Web: the id of a channel is made of small letters, digits and hyphens, at most 40",
        "mine.toml:14: channels.Web.address: must be given, as text in quotes",
    ]


def test_a_mistake_from_the_environment_is_said_to_be_there(tmp_path: Path) -> None:
    assert problems(written(tmp_path, MINE), {"PARLEY_SERVER_PORT": "99999"}) == [
        "PARLEY_SERVER_PORT: server.port: must be between 0 and 65535, not 99999"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("mode = \n", "mine.toml: is not valid TOML: Invalid value (at line 1, column 8)"),
        ("mode = 'x'\nmode = 'y'\n", "mine.toml: is not valid TOML: Cannot overwrite a value (at line 2, column 11)"),
        ("operator = 5\n", "mine.toml:1: operator: must be a table"),
        ("channels = 5\n" + MINE, "mine.toml:1: channels: must be a table for each channel, such as [channels.sms]"),
        (MINE.replace('"FR"', '"fr"'), "mine.toml:5: operator.country: must look like [A-Z]{2}, not 'fr'"),
        (MINE.replace("8081", "true"), "mine.toml:10: server.port: must be a whole number, not True"),
        (MINE.replace('["fr"]', '"fr"'), "mine.toml:7: operator.languages: must be a list, not 'fr'"),
        (MINE.replace('["fr"]', '["fr", 5]'), "mine.toml:7: operator.languages: must be text in quotes, not 5"),
        (MINE + "trusted_proxies = ['10.0.0.1/8']\n", "mine.toml:9: server: 10.0.0.1/8 has host bits set"),
        (MINE + "public_url = 'https://a.b/path'\n", "mine.toml:11: server.public_url: must look like (https?://[^/\\s?#@]+)?, not "),
        (MINE.replace("demo", "dmeo"), "mine.toml:1: mode: must be one of demo, production, not 'dmeo'"),
    ],
)
def test_a_mistake_has_file_line_and_what_would_be_right(tmp_path: Path, text: str, problem: str) -> None:
    assert any(line.startswith(problem) for line in problems(written(tmp_path, text))), problems(written(tmp_path, text))


def test_a_channel_may_have_rates_of_its_own_and_they_reach_its_capabilities(tmp_path: Path) -> None:
    settings = load(None, {}, {"channels.sms.sends_per_s": 1, "channels.sms.sends_per_recipient_s": 0.2})
    able = make_channels(settings, {}, Keys(bytes(32)), "http://127.0.0.1")["sms"].channel.capabilities
    assert (able.sends_per_s, able.sends_per_recipient_s) == (1, 0.2)


@pytest.mark.parametrize("rate", [-1, 10_001, "fast", True])
def test_a_rate_is_a_number_within_limits(rate: object) -> None:
    with pytest.raises(ConfigWrong, match=r"channels\.sms\.sends_per_s: must be a number from 0 to 10000"):
        load(None, {}, {"channels.sms.sends_per_s": rate})


def test_a_missing_setting_says_what_it_is_for(tmp_path: Path) -> None:
    found = problems(written(tmp_path, MINE.replace('name = "Mine"', "")))
    assert found == ["mine.toml:3: operator.name: is missing: The name that customers read."]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert problems(tmp_path / "mine.toml") == ["cannot read the configuration file mine.toml: No such file or directory"]


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe")
    assert problems(tmp_path / "mine.toml") == ["mine.toml: is not UTF-8 text"]


def test_links_that_a_container_platform_adds_are_let_be(tmp_path: Path) -> None:
    environ = {"PARLEY_PORT": "tcp://10.0.0.1:80", "PARLEY_SERVICE_HOST": "10.0.0.1", "PARLEY_PORT_80_TCP_ADDR": "10.0.0.1"}
    assert problems(written(tmp_path, MINE), environ) == []


def test_production_takes_what_is_safe(tmp_path: Path) -> None:
    assert load(written(tmp_path, PRODUCTION), {}).mode == "production"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("https://chat", "http://chat", "server.public_url: production needs the https:// address that providers call"),
        ("https://bss.example.com/tmf", "demo", "backend.url: production needs the address of real business systems"),
    ],
)
def test_production_refuses_what_is_unsafe(tmp_path: Path, old: str, new: str, problem: str) -> None:
    found = problems(written(tmp_path, PRODUCTION.replace(old, new)))
    assert len(found) == 1
    assert problem in found[0]


def test_production_is_what_a_file_means_that_does_not_say(tmp_path: Path) -> None:
    found = problems(written(tmp_path, MINE.replace('mode = "demo"', "")))
    assert len(found) == 3


def test_dialogs_of_the_operator_are_beside_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, MINE + "[dialogs]\nproject = 'flows'\n")
    assert load(path, {}).dialogs.project == str(tmp_path / "flows")
    assert load(None, {}).dialogs.project == "telecom"


def test_the_public_url_is_derived_where_none_is_given() -> None:
    settings = load(DEMO, {})
    assert settings.server.origin(9000) == "http://127.0.0.1:9000"
    assert load(DEMO, {"PARLEY_SERVER_HOST": "0.0.0.0"}).server.origin(1) == "http://127.0.0.1:1"
    assert load(DEMO, {"PARLEY_SERVER_HOST": "::1"}).server.origin(1) == "http://[::1]:1"
    assert load(DEMO, {"PARLEY_SERVER_PUBLIC_URL": "https://a.example"}).server.origin(1) == "https://a.example"


def test_settings_cannot_be_changed() -> None:
    settings: Any = load(None, {})
    assert isinstance(settings, Settings)
    with pytest.raises(AttributeError):
        settings.mode = "production"
