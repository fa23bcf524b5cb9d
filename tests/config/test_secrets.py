"""Secrets: by reference only, never in a text, derived for the demo alone."""

from __future__ import annotations

import stat
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from config.keys import KeyRefused, Keys, open_keys
from config.load import load, read_channels
from config.problems import ConfigWrong, Where
from config.secrets import Secrets
from config.typed import doc, read
from tests.house.sources import ROOT

CANARY = "canary-5f1c"


@dataclass(frozen=True, slots=True)
class Sample:
    """The settings of some kind of channel."""

    account: str = field(metadata=doc("The account.", pattern="[a-z]+"))
    token: str = field(repr=False)
    signing: tuple[str, ...] = field(default=(), repr=False)
    pause_s: float = field(default=1.5, metadata=doc("A pause.", least=0, most=10))
    colour: str | None = None


def sample(table: dict[str, Any], folder: Path, environ: dict[str, str] | None = None, keys: Keys | None = None) -> Sample:
    return read(Sample, table, Where("channels.x", "f.toml"), Secrets(environ or {}, folder, keys))


def told(table: dict[str, Any], folder: Path, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigWrong) as wrong:
        sample(table, folder, environ)
    return str(wrong.value)


def test_from_the_environment(tmp_path: Path) -> None:
    found = sample({"account": "a", "token": {"env": "TOKEN"}}, tmp_path, {"TOKEN": CANARY})
    assert found.token == CANARY
    assert CANARY not in repr(found)


def test_from_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{CANARY}\n")
    assert sample({"account": "a", "token": {"file": "token"}}, tmp_path).token == CANARY


def test_one_secret_or_two_while_it_is_being_changed(tmp_path: Path) -> None:
    environ = {"OLD": "o", "NEW": "n"}
    one = sample({"account": "a", "token": {"env": "OLD"}, "signing": {"env": "OLD"}}, tmp_path, environ)
    two = sample({"account": "a", "token": {"env": "OLD"}, "signing": [{"env": "OLD"}, {"env": "NEW"}]}, tmp_path, environ)
    assert (one.signing, two.signing) == (("o",), ("o", "n"))


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        (CANARY, "is a secret, so give a reference to it"),
        ({"env": "NOT_SET"}, "the environment variable NOT_SET is not set"),
        ({"file": "nowhere"}, "No such file"),
        ({"file": "empty"}, "is empty"),
        ({"file": "bytes"}, "is not text"),
        ({"generated": True}, "generated secrets are for the demo only"),
        ({"generated": False}, "give a reference to it"),
        ({"env": "A", "file": "b"}, "give a reference to it"),
        ({"value": CANARY}, "give a reference to it"),
    ],
)
def test_anything_else_is_refused_without_telling_it(tmp_path: Path, reference: Any, says: str) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xff")
    text = told({"account": "a", "token": reference}, tmp_path)
    assert text.startswith("f.toml: channels.x.token: ")
    assert says in text
    assert CANARY not in text


def test_the_other_fields_are_checked_as_well_and_all_at_once(tmp_path: Path) -> None:
    text = told({"account": "A", "token": "x", "pause_s": 11, "color": "red"}, tmp_path)
    assert text.splitlines() == [
        "f.toml: channels.x.color: unknown setting (did you mean 'colour'?)",
        "f.toml: channels.x.account: must look like [a-z]+, not 'A'",
        'f.toml: channels.x.token: is a secret, so give a reference to it: {env = "NAME"} or {file = "path"}, not the value itself',
        "f.toml: channels.x.pause_s: must be between 0 and 10, not 11.0",
    ]


def test_a_whole_number_is_a_number(tmp_path: Path) -> None:
    assert sample({"account": "a", "token": {"env": "T"}, "pause_s": 2}, tmp_path, {"T": "t"}).pause_s == 2.0


def test_generated_ones_are_the_same_at_every_start_and_differ_by_name(tmp_path: Path) -> None:
    first = sample({"account": "a", "token": {"generated": True}}, tmp_path, keys=open_keys(tmp_path / "data"))
    again = sample({"account": "a", "token": {"generated": True}}, tmp_path, keys=open_keys(tmp_path / "data"))
    assert first == again
    assert first.token == open_keys(tmp_path / "data").token("channels.x.token")
    assert open_keys(tmp_path / "data").token("channels.y.token") != first.token
    assert open_keys(tmp_path / "other").token("channels.x.token") != first.token


def test_the_key_file_is_private(tmp_path: Path) -> None:
    open_keys(tmp_path / "data")
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "data" / "key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["key"]


def test_many_processes_agree_on_one_new_key(tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; from config.keys import open_keys; print(open_keys(Path(sys.argv[1])).token('x'))"
    command = [sys.executable, "-P", "-c", script, str(tmp_path / "data")]
    runs = [subprocess.Popen(command, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    assert len({run.communicate()[0] for run in runs}) == 1


@pytest.mark.parametrize("content", ["", "zz", "ab" * 31, "ab" * 33])
def test_a_damaged_key_is_refused_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeyRefused, match="is damaged: restore it"):
        open_keys(tmp_path)
    assert path.read_text() == content


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    open_keys(tmp_path)
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(KeyRefused, match="chmod 600"):
        open_keys(tmp_path)


def test_no_text_shows_the_key(tmp_path: Path) -> None:
    keys = open_keys(tmp_path)
    content = (tmp_path / "key").read_text().strip()
    assert content not in repr(keys)
    assert content not in keys.token("x")


def kind(name: str) -> type | None:
    return Sample if name == "sample" else None


def test_the_mistakes_of_all_channels_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    operator = '[operator]\nname = "X"\ncountry = "FR"\ncurrency = "EUR"\n'
    channels = "".join(
        f'[channels.{name}]\nkind = "{name}"\naddress = "1"\n{rest}' for name, rest in [("fax", ""), ("sample", "tokn = 1\n")]
    )
    file.write_text('mode = "demo"\n' + operator + channels)
    with pytest.raises(ConfigWrong) as wrong:
        read_channels(load(file, {}), kind, {}, open_keys(tmp_path / "data"))
    assert [str(problem).replace(f"{tmp_path}/", "") for problem in wrong.value.problems] == [
        "c.toml:7: channels.fax.kind: there is no kind of channel 'fax'",
        "c.toml:12: channels.sample.tokn: unknown setting (did you mean 'token'?)",
        "c.toml:9: channels.sample.account: is missing: The account.",
        "c.toml:9: channels.sample.token: is missing",
    ]


def test_the_mistakes_of_channels_are_told_with_all_others(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    fine = '[channels.sample]\nkind = "sample"\naddress = "1"\naccount = "a"\ntoken = { generated = true }\n'
    file.write_text('mode = "demo"\n[operator]\nnam = "X"\n[channels.fax]\nkind = "fax"\naddress = "1"\n' + fine)
    with pytest.raises(ConfigWrong) as wrong:
        load(file, {}, settings_of=kind)
    told = "\n".join(str(problem) for problem in wrong.value.problems)
    assert "operator.nam" in told
    assert "there is no kind of channel 'fax'" in told
    assert "channels.sample" not in told


def test_a_token_of_the_operator_may_have_a_name_that_begins_like_a_setting(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    channel = '[channels.sample]\nkind = "sample"\naddress = "1"\naccount = "a"\ntoken = { env = "PARLEY_SMS_TOKEN" }\n'
    file.write_text('mode = "demo"\n[operator]\nname = "X"\ncountry = "FR"\ncurrency = "EUR"\n' + channel)
    environ = {"PARLEY_SMS_TOKEN": CANARY}
    settings = load(file, environ)
    assert read_channels(settings, kind, environ, open_keys(tmp_path))["sample"].token == CANARY
    assert CANARY not in repr(settings)


def test_production_derives_no_secrets(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    operator = '[operator]\nname = "X"\ncountry = "FR"\ncurrency = "EUR"\n[server]\npublic_url = "https://a.example"\n'
    channel = '[channels.sample]\nkind = "sample"\naddress = "1"\naccount = "a"\ntoken = { generated = true }\n'
    file.write_text(operator + '[backend]\nurl = "https://b.example"\n' + channel)
    with pytest.raises(ConfigWrong, match="generated secrets are for the demo only"):
        read_channels(load(file, {}), kind, {}, open_keys(tmp_path))


def test_the_folder_may_be_read_only(tmp_path: Path) -> None:
    open_keys(tmp_path).token("x")
    tmp_path.chmod(0o500)
    try:
        assert open_keys(tmp_path).token("x")
    finally:
        tmp_path.chmod(0o700)
