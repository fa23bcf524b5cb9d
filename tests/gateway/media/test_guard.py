"""Nobody gets the gateway to call where it should not: bad addresses in every spelling, names that change, redirects, secrets elsewhere."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from core.model.adapter import MediaSource
from gateway.media.fetch import Fetcher, FetchFailed
from gateway.media.guard import is_public
from tests.gateway.media.provider import Provider, answers

PUBLIC = "93.184.215.14"
# Literal addresses, and names with what they lead to; each must end without a connection.
LITERALS = (
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "0177.0.0.1", "017700000001", "127.255.255.254",
    "0", "0.0.0.0", "0x0", "10.0.0.1", "10.1", "167772161", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.257", "3232235521",
    "169.254.169.254", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "169.254.0.1", "168.63.129.16", "100.100.100.200", "100.64.0.1",
    "192.0.0.192", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::127.0.0.1]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::ffff:169.254.169.254]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::a9fe:a9fe]",
    "[2002:7f00:1::]", "[2002:a9fe:a9fe::]", "[2001:0:a9fe:a9fe::]", "[fe80::1]", "[fe80::1%25lo]", "[fec0::1]", "[fd00:ec2::254]",
    "[fc00::1]", "[ff02::1]", "[2001:db8::1]", "[3fff::1]", "[5f00::1]", "[100::1]",
)  # fmt: skip
NAMES = {
    "metadata.google.internal": ["169.254.169.254"],
    "localhost": ["127.0.0.1", "::1"],
    "localhost.": ["127.0.0.1"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "private-first.example": ["fd00:ec2::254", PUBLIC],
    "private-six.example": ["::ffff:10.0.0.1"],
    "translated.example": ["64:ff9b::7f00:1"],
    "scoped.example": ["fe80::1%lo"],
    "xn--80ak6aa92e.example": ["127.0.0.1"],
}


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """A name server whose answers a test writes down, the last one for ever; literal spellings are read as the C library does."""
    known: dict[str, list[list[str]]] = {name: [addresses] for name, addresses in NAMES.items()}

    def look_up(host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else host
        if name in known:
            addresses = known[name].pop(0) if len(known[name]) > 1 else known[name][0]
        else:
            try:
                addresses = [socket.inet_ntoa(socket.inet_aton(name))]
            except OSError:
                raise socket.gaierror(socket.EAI_NONAME, "unknown") from None
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, int(port or 0), 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, int(port or 0)))
            for address in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address that anything tried to connect to; nothing but this machine can be reached."""
    tried: list[Any] = []
    connect = socket.socket.connect

    def noting(self: socket.socket, address: Any) -> None:
        tried.append(address)
        if address[0] != "127.0.0.1":
            raise OSError(101, "unreachable")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", noting)
    return tried


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    made = Fetcher(1_000_000)
    yield made
    await made.close()


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with Provider().running() as started:
        yield started


async def code_of(fetcher: Fetcher, source: MediaSource, *own: str) -> str:
    with pytest.raises(FetchFailed) as failed:
        await fetcher.fetch(source, own)
    return failed.value.code


@pytest.mark.parametrize("host", [*LITERALS, *NAMES])
async def test_no_connection_leads_inside_even_from_an_allowed_host(
    host: str, fetcher: Fetcher, names: dict[str, list[list[str]]], connected: list[Any]
) -> None:
    plain = host.strip("[]")
    for port in ("", ":8443"):
        code = await code_of(fetcher, MediaSource(f"https://{host}{port}/x", (plain, "api.example")))
        assert code in {"unsafe_address", "bad_url"}, names  # bad_url: a number that the client takes for no name
    assert connected == []


async def test_a_name_that_turns_inside_after_the_first_look_is_looked_at_again(
    fetcher: Fetcher, names: dict[str, list[list[str]]], connected: list[Any]
) -> None:
    names["rebinding.example"] = [[PUBLIC], ["127.0.0.1"]]
    source = MediaSource("https://rebinding.example/x", ("rebinding.example",))
    assert await code_of(fetcher, source) == "not_connected"
    assert await code_of(fetcher, source) == "unsafe_address"
    assert [address[0] for address in connected] == [PUBLIC]


async def test_a_bad_address_behind_a_public_one_is_never_tried(
    fetcher: Fetcher, names: dict[str, list[list[str]]], connected: list[Any]
) -> None:
    names["both.example"] = [[PUBLIC, "127.0.0.1"]]
    assert await code_of(fetcher, MediaSource("https://both.example/x", ("both.example",))) == "unsafe_address"
    assert [address[0] for address in connected] == [PUBLIC]


@pytest.mark.parametrize(
    "location",
    [
        "https://169.254.169.254/latest/meta-data/", "https://allowed.example/x", "https://[::ffff:169.254.169.254]/",
    ],
)  # fmt: skip
async def test_a_redirect_leads_inside_no_more_than_the_first_address(
    location: str, fetcher: Fetcher, provider: Provider, names: dict[str, list[list[str]]], connected: list[Any]
) -> None:
    names["allowed.example"] = [["127.0.0.1"]]
    provider.files["/x"] = answers(302, Location=location)
    hosts = ("127.0.0.1", "169.254.169.254", "::ffff:169.254.169.254", "allowed.example")
    assert await code_of(fetcher, MediaSource(provider.url + "/x", hosts), provider.url) == "unsafe_address"
    assert provider.paths == ["/x"]
    assert len(connected) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example/x", "ftp://api.example/x", "file:///etc/passwd", "gopher://api.example/", "//api.example/x", "/x", "",
        "https://api.example:80/x", "https://api.example:22/x", "https://api.example:0/x", "https://api.example:99999/x",
        "https://user@api.example/x", "https://user:word@api.example/x", "https://:@api.example/x", "https:///x", "https:api.example",
        "https://api.example\\@evil.example/x", "https://api.example\t/x", "https://api.example /x", "https://api.example\r\nX: y/x",
        "https://\u0430pi.example/x", "https://127\u30020\u30020\u30021/x", "https://api.example/" + "x" * 5_000, "https://[::1/x",
        "HTTPS ://api.example/x", "javascript:alert(1)", "data:text/html,x",
    ],
)  # fmt: skip
async def test_only_plain_addresses_by_https_are_asked(url: str, fetcher: Fetcher, connected: list[Any]) -> None:
    assert await code_of(fetcher, MediaSource(url, ("api.example",))) == "bad_url"
    assert connected == []


@pytest.mark.parametrize(
    "host",
    ["evil.example", "api.example.evil.example", "evil-api.example", "api.example.", "apixexample", "xapi.example", "xn--pi-6kc.example"],
)
async def test_only_hosts_of_the_provider_are_asked(host: str, fetcher: Fetcher, connected: list[Any]) -> None:
    assert await code_of(fetcher, MediaSource(f"https://{host}/x", ("api.example",), {"Authorization": "secret"})) == "host_refused"
    assert connected == []


async def test_the_secret_goes_home_only(fetcher: Fetcher, provider: Provider) -> None:
    async with Provider({"/content": b"found"}).running() as network:
        provider.files["/x"] = answers(307, Location=f"{network.url}/content")
        secret = {"Authorization": "Basic c2VjcmV0"}
        own = (provider.url, network.url)
        assert await fetcher.fetch(MediaSource(f"{provider.url}/x", ("127.0.0.1",), secret), own) == b"found"
        assert provider.calls[0][1]["Authorization"] == secret["Authorization"]
        assert "Authorization" not in network.calls[0][1]
        assert await fetcher.fetch(MediaSource(f"{network.url}/content", ("api.example", "127.0.0.1"), secret), own) == b"found"
        assert "Authorization" not in network.calls[1][1], "a reference to another host of the provider"


async def test_redirects_end(fetcher: Fetcher, provider: Provider) -> None:
    provider.files["/x"] = answers(302, Location="/x")
    assert await code_of(fetcher, MediaSource(f"{provider.url}/x", ()), provider.url) == "too_many_redirects"
    assert len(provider.calls) == 4


async def test_a_body_without_end_is_cut(provider: Provider, fetcher: Fetcher) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 50_000_000:
            await response.write(b"x" * 65_536)
            sent += 65_536
        return response

    provider.files["/x"] = endless
    assert await code_of(fetcher, MediaSource(f"{provider.url}/x", ()), provider.url) == "too_large"
    assert sent < 20_000_000


async def test_an_answer_that_does_not_come_is_not_waited_for(provider: Provider) -> None:
    hold = asyncio.Event()

    async def silent(_: web.Request) -> web.StreamResponse:
        await hold.wait()
        return web.Response()

    provider.files["/x"] = silent
    fetcher = Fetcher(1_000, timeout_s=0.2)
    assert await code_of(fetcher, MediaSource(f"{provider.url}/x", ()), provider.url) == "timeout"
    hold.set()
    await fetcher.close()


async def test_nothing_is_unpacked_and_no_cookie_is_kept(fetcher: Fetcher, provider: Provider) -> None:
    provider.files["/packed"] = answers(body=b"\x1f\x8b" + b"0" * 100, Content_Encoding="gzip")
    provider.files["/x"] = answers(302, Location="/y", Set_Cookie="a=b")
    provider.files["/y"] = b"found"
    assert await code_of(fetcher, MediaSource(f"{provider.url}/packed", ()), provider.url) == "unreadable_answer"
    assert await fetcher.fetch(MediaSource(f"{provider.url}/x", ()), (provider.url,)) == b"found"
    assert all("Cookie" not in headers and headers["Accept-Encoding"] == "identity" for _, headers in provider.calls)


async def test_a_proxy_of_the_environment_is_not_used(fetcher: Fetcher, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    provider.files["/x"] = b"found"
    assert await fetcher.fetch(MediaSource(f"{provider.url}/x", ()), (provider.url,)) == b"found"


def test_the_open_internet_is_public() -> None:
    public = (PUBLIC, "8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "64:ff9b::808:808", "::ffff:8.8.8.8")
    assert [address for address in public if not is_public(address)] == []
    assert not is_public("no address")


async def test_a_failure_tells_nothing_of_the_address(fetcher: Fetcher, connected: list[Any], names: dict[str, list[list[str]]]) -> None:
    names["api.example"] = [[PUBLIC]]
    with pytest.raises(FetchFailed) as failed:
        await fetcher.fetch(MediaSource("https://api.example/bot-token-canary", ("api.example",)))
    assert "canary" not in f"{failed.value!r}{failed.value.__cause__!r}"
    assert "canary" not in repr(MediaSource("https://api.example/bot-token-canary", ("api.example",), {"a": "canary"}))
