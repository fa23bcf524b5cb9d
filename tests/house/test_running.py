"""The commands beside a running gateway, and what is said when one cannot start."""

from __future__ import annotations

import json
import signal
import socket
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.house.gateway_process import Process, command, gateway
from tests.house.parley import Ran, parley

NUMBER = "+254700000001"
PASSWORD = "heron violet 8 kettle\n"


@dataclass
class Home:
    """A data folder with a gateway on it."""

    folder: Path
    process: Process

    def parley(self, *arguments: str) -> Ran:
        return parley(*arguments, environ={"PARLEY_DATA": str(self.folder / ".parley")})

    def json(self, *arguments: str) -> Any:
        ran = self.parley(*arguments, "--json")
        assert ran.code == 0, ran.err
        return json.loads(ran.out)

    def dial(self, session: str, text: str = "") -> str:
        hook = next(channel["webhook_url"] for channel in self.json("channels") if channel["kind"] == "ussd")
        fields = {"sessionId": session, "serviceCode": "*384*100#", "phoneNumber": NUMBER, "networkCode": "63902", "text": text}
        with urllib.request.urlopen(hook, urlencode(fields).encode(), timeout=20) as answer:
            return str(answer.read().decode())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("home")
    with gateway(folder) as process:
        here = Home(folder, process)
        assert here.dial("first").startswith("CON ")
        yield here


def test_the_channels_say_where_the_gateway_really_listens(home: Home) -> None:
    channels = home.json("channels")
    assert {channel["id"]: (channel["kind"], channel["address"], channel["state"]) for channel in channels} == {
        "ussd": ("ussd", "*384*100#", "running"),
        "sms": ("sms_twilio", "+254711082000", "running"),
        "web": ("webchat", "demo-chat", "running"),
        "voice": ("voice_twilio", "+254711082000", "running"),
        "whatsapp": ("whatsapp_twilio", "+254711082000", "running"),
        "telegram": ("telegram", "@demo_telecom_bot", "running"),
        "mail": ("email", "help@demo-telecom.example", "running"),
    }
    elsewhere = {"web": "/webchat/widget.js", "mail": "smtp://127.0.0.1:0"}
    assert {channel["id"]: channel["entry"] for channel in channels if channel["webhook_url"] is None} == elsewhere
    hooks = [channel for channel in channels if channel["id"] not in elsewhere]
    assert all(channel["webhook_url"].startswith(f"{home.process.url}/c/{channel['id']}/") for channel in hooks)
    assert all(channel["webhook_url"] == channel["entry"] for channel in hooks)


def test_the_record_can_be_read_while_the_gateway_runs(home: Home) -> None:
    found = home.json("interactions", "--channel", "ussd")
    assert [(one["service_number"], one["media_type"], one["direction"], one["address"]) for one in found] == [
        ("*384*100#", "ussd", "inbound", NUMBER)
    ]
    shown = home.parley("interactions").out
    assert NUMBER in shown
    assert "STATUS" in shown


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--address", "0700 000 001"], 1),
        (["--address", NUMBER, "--status", "open"], 1),
        (["--address", "+254700000002"], 0),
        (["--status", "closed"], 0),
        (["--channel", "sms"], 0),
        (["--since", "2020-01-01"], 1),
        (["--since", "2099-01-01T00:00:00+03:00"], 0),
        (["--party", "nobody"], 0),
    ],
)
def test_the_filters_of_interactions(home: Home, options: list[str], count: int) -> None:
    assert len(home.json("interactions", *options)) == count


def test_a_person_is_found_by_any_way_of_writing_the_number(home: Home) -> None:
    person = home.json("customer", "0700000001")
    assert [(one["kind"], one["value"]) for one in person["addresses"]] == [("msisdn", NUMBER)]
    assert {message["author"] for message in person["messages"]} == {"bot", "customer"}
    assert len(home.json("interactions", "--party", person["id"])) == 1
    assert NUMBER in home.parley("customer", NUMBER).out


def test_an_unknown_person_is_told(home: Home) -> None:
    assert home.parley("customer", "+254799999999") == Ran(1, "", "parley: nobody with the address +254799999999 is in the record.\n")


def test_the_record_keeps_its_rules(home: Home) -> None:
    assert home.json("check")["broken"] == []
    assert "0 broken" in home.parley("check").out


def test_the_doctor_is_content(home: Home) -> None:
    findings = home.json("doctor")
    assert [finding for finding in findings if finding["state"] == "problem"] == []
    assert f"running at {home.process.url}" in {finding["text"] for finding in findings}


def test_a_second_gateway_on_the_same_folder_is_refused(home: Home) -> None:
    done = command("run", "--port", "0", folder=home.folder)
    assert done.returncode == 1
    assert "is in use by another Parley process" in done.stderr
    assert "--data" in done.stderr
    assert home.dial("second").startswith("CON ")


def test_accounts_are_changed_at_the_desk_while_the_gateway_runs(home: Home) -> None:
    assert {agent["login"] for agent in home.json("agents", "list")} == {"agent", "supervisor", "admin"}
    ran = home.parley("agents", "disable", "agent")
    assert ran.code == 1
    assert f"{home.process.url}/desk" in ran.err


def test_a_taken_port_is_told_and_nothing_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = command("run", "--port", str(port), folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"parley: 127.0.0.1 port {port} is taken by another program: stop that one, or choose another with --port.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--host", "192.0.2.1"], 1, "192.0.2.1 is no address of this machine"),
        (["--data", "file/data"], 1, "cannot use the data folder"),
        (["--config", "nowhere.toml"], 2, "'nowhere.toml' does not exist"),
        (["--port", "70000"], 2, "70000 is not in the range"),
    ],
)
def test_what_keeps_a_gateway_from_starting_is_told_in_a_sentence(tmp_path: Path, arguments: list[str], code: int, says: str) -> None:
    (tmp_path / "file").touch()
    done = command("run", "--port", "0", *arguments, folder=tmp_path)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_data_file_that_is_no_database_is_told_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".parley").mkdir(mode=0o700)
    file = tmp_path / ".parley" / "parley.db"
    file.write_text("not a database, but somebody's only copy of something" * 100)
    done = command("run", "--port", "0", folder=tmp_path)
    assert done.returncode == 1
    assert "is not a readable database" in done.stderr
    assert file.read_text().startswith("not a database, but somebody's")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    with gateway(tmp_path) as process:
        assert process.stop(number) == 0
        assert process.popen.stderr is not None
        assert process.popen.stderr.read() == ""


def test_accounts_are_kept_from_one_command_to_the_next(tmp_path: Path) -> None:
    with gateway(tmp_path) as process:
        process.stop()
    added = command(
        "agents", "add", "Mwangi", "--name", "M. Wangi", "--role", "supervisor", "--password-stdin", folder=tmp_path, stdin=PASSWORD
    )
    assert (added.returncode, added.stdout) == (0, "Added mwangi as supervisor.\n")
    assert command("agents", "password", "mwangi", "--password-stdin", folder=tmp_path, stdin=PASSWORD).returncode == 0
    assert command("agents", "disable", "mwangi", folder=tmp_path).stdout == "mwangi is disabled.\n"
    assert command("agents", "enable", "mwangi", folder=tmp_path).returncode == 0
    agents = json.loads(command("agents", "list", "--json", folder=tmp_path).stdout)
    assert ("mwangi", "M. Wangi", "supervisor", "enabled") in {(one["login"], one["name"], one["role"], one["state"]) for one in agents}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["add", "x", "--password-stdin"], "A login has 2 to 64"),
        (["add", "wanjiru", "--password-stdin"], "password"),
        (["disable", "nobody"], "There is no such agent."),
    ],
)
def test_an_account_that_cannot_be_changed_is_told(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = command("agents", *arguments, folder=tmp_path, stdin="short\n" if "wanjiru" in arguments else PASSWORD)
    assert done.returncode == 1
    assert says in done.stderr


def test_the_terminal_speaks_the_same_dialog(tmp_path: Path) -> None:
    done = command("chat", folder=tmp_path, stdin="hi\nbalance\n")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "KES" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_shipped_flows_are_clean() -> None:
    ran = parley("flows", "check")
    assert ran.code == 0, ran.out
    assert " 0 errors" in ran.out


def test_a_broken_flow_is_told_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "flows.yml").write_text("flows:\n  hello:\n    description: greets\n    steps:\n      - acton: utter_hello\n")
    ran = parley("flows", "check", str(tmp_path), "--json")
    assert ran.code == 1
    assert [(one["file"], one["line"]) for one in json.loads(ran.out) if "exactly one of action" in one["text"]] == [("flows.yml", 5)]
