"""HTTP on the standard library: connections used again, lost ones told, proxies, TLS by what the system trusts."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from eureka_park.client.address import Address
from eureka_park.client.transport import Transport, _chunks, is_away
from eureka_park.client.wire import BrokenOff, NotReached, Wire
from eureka_park.foundation.errors import BadInput, Unauthorised, Unavailable


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self) -> None:
        self.server.seen.append((self.command, self.path, dict(self.headers), self.client_address[1]))  # type: ignore[attr-defined]
        if "/chunked" in self.path:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (b"one\nt", b"wo\r\n", "drei\u00e9".encode()):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            if "broken" not in self.path:
                self.wfile.write(b"0\r\n\r\n")
            self.close_connection = "broken" in self.path
            return
        self.send_response(200)
        self.send_header("Content-Length", "10" if "/short" in self.path else "2")
        self.end_headers()
        self.wfile.write(b"ok")
        self.close_connection = "/short" in self.path or "/close" in self.path

    def do_PUT(self) -> None:
        self.send_response(413)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"large")
        self.close_connection = True

    def do_CONNECT(self) -> None:
        self.server.seen.append((self.command, self.path, dict(self.headers), 0))  # type: ignore[attr-defined]
        self.send_error(403)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Any]:
    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    server: Any = Server((host, 0), Handler)
    server.seen = []
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def server() -> Iterator[Any]:
    with serving() as found:
        yield found


@contextmanager
def wired(url: str, **more: Any) -> Iterator[Wire]:
    given = {"timeout_s": 5.0, "connect_timeout_s": 2.0, "uses_proxies": False, **more}
    wire = Wire(url, {"X-Mine": "1"}, **given)
    try:
        yield wire
    finally:
        wire.close()


def url_of(server: Any, scheme: str = "http", host: str = "127.0.0.1") -> str:
    return f"{scheme}://{host}:{server.server_address[1]}"


def test_a_connection_is_used_again(server: Any) -> None:
    with wired(url_of(server) + "/below/") as wire:
        for _ in range(3):
            answer = wire.request("GET", "/x", params={"a": "1 2", "b": "é"}, headers={"X-More": "2"})
            assert (answer.status, answer.content, answer.is_good) == (200, b"ok", True)
    assert {path for _, path, _, _ in server.seen} == {"/below/x?a=1+2&b=%C3%A9"}
    assert len({port for *_, port in server.seen}) == 1
    assert server.seen[0][2]["X-Mine"] == "1" and server.seen[0][2]["X-More"] == "2"
    assert server.seen[0][2]["Accept-Encoding"] == "identity"


def test_a_connection_that_was_closed_is_not(server: Any) -> None:
    with wired(url_of(server)) as wire:
        for path in ("/close", "/x", "/x"):
            assert wire.request("GET", path).content == b"ok"
        wire._idle[0].sock.shutdown(socket.SHUT_RDWR)  # as if the server had closed it meanwhile
        assert wire.request("GET", "/x").content == b"ok"
    assert len({port for *_, port in server.seen}) == 3


def test_nobody_there_and_lines_that_break(server: Any) -> None:
    with wired("http://127.0.0.1:9") as wire, pytest.raises(NotReached):
        wire.request("GET", "/")
    with wired("http://no-such-host.invalid") as wire, pytest.raises(NotReached):
        wire.request("GET", "/")
    with wired(url_of(server)) as wire:
        with pytest.raises(BrokenOff, match="IncompleteRead"):
            wire.request("GET", "/short")
        with wire.stream("GET", "/short") as stream, pytest.raises(BrokenOff, match="IncompleteRead"):
            list(stream.chunks(10))
        with wire.stream("GET", "/chunked/broken") as stream, pytest.raises(BrokenOff):
            list(stream.chunks(10))


def test_a_server_that_stands_still_is_not_waited_for_for_ever() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with listener, wired(url) as wire, pytest.raises(BrokenOff, match="Timeout"):
        wire.request("GET", "/", timeout_s=0.1)


def test_streams_by_chunk_and_by_line(server: Any) -> None:
    with wired(url_of(server)) as wire:
        with wire.stream("GET", "/chunked") as stream:
            assert b"".join(stream.chunks(4)) == "one\ntwo\r\ndrei\u00e9".encode()
        with wire.stream("GET", "/chunked") as stream:
            assert list(stream.lines()) == ["one", "two", "drei\u00e9"]


def test_an_answer_that_comes_before_the_body_was_sent_counts(server: Any) -> None:
    body = (b"x" * 1_000_000 for _ in range(20))
    with wired(url_of(server)) as wire:
        answer = wire.request("PUT", "/blob", body=body, headers={"Content-Length": "20000000"})
    assert (answer.status, answer.content, answer.is_good) == (413, b"large", False)


def test_a_file_that_grows_meanwhile_is_sent_as_long_as_was_said(tmp_path: Path) -> None:
    (file := tmp_path / "growing").write_bytes(b"x" * 10)
    with file.open("rb") as stream:
        file.write_bytes(b"x" * 30)
        assert b"".join(_chunks(stream, 10, lambda _n_bytes: None)) == b"x" * 10


def test_many_threads_share_a_wire(server: Any) -> None:
    with wired(url_of(server)) as wire:
        found: list[bytes] = []
        ask = lambda: found.extend(wire.request("GET", "/x").content for _ in range(10))  # noqa: E731
        threads = [threading.Thread(target=ask) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [b"ok"] * 120


def test_ipv6() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with serving(host="::1") as server, wired(url_of(server, host="[::1]")) as wire:
        assert wire.request("GET", "/x").content == b"ok"
        assert server.seen[0][2]["Host"] == f"[::1]:{server.server_address[1]}"


@pytest.mark.skipif(os.name == "nt", reason="proxies are named otherwise on Windows")
def test_a_proxy_of_the_environment(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
    proxy = url_of(server).replace("http://", "http://ada:s%40fe@")
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.setenv("https_proxy", proxy)
    with wired("http://park.invalid:8386/sub", uses_proxies=True) as wire:
        assert wire.request("GET", "/x").content == b"ok"
    _, path, headers, _ = server.seen[0]
    assert path == "http://park.invalid:8386/sub/x" and headers["Host"] == "park.invalid:8386"
    assert headers["Proxy-Authorization"] == "Basic YWRhOnNAZmU="
    with wired("https://park.invalid", uses_proxies=True) as wire, pytest.raises(NotReached):
        wire.request("GET", "/x")
    assert server.seen[1][:2] == ("CONNECT", "park.invalid:443")
    monkeypatch.setenv("no_proxy", "park.invalid")
    with wired("http://park.invalid:8386", uses_proxies=True) as wire, pytest.raises(NotReached):
        wire.request("GET", "/x")
    assert len(server.seen) == 2


@pytest.mark.skipif(os.name == "nt", reason="proxies are named otherwise on Windows")
def test_a_proxy_that_speaks_something_else_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY", "http_proxy", "https_proxy", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("all_proxy", "socks5h://ada:secret@127.0.0.1:1")
    with pytest.raises(BadInput, match="socks5h") as caught:
        Transport(Address("https://park.invalid", None)).json("GET", "/status")
    assert "secret" not in str(caught.value)
    monkeypatch.setenv("no_proxy", "park.invalid")
    with pytest.raises(Unavailable):
        Transport(Address("https://park.invalid", None)).json("GET", "/status")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here to make a certificate")
    file = tmp_path / "localhost.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    words += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(file), "-out", str(tmp_path / "public.pem")]
    subprocess.run(["openssl", *words], check=True, capture_output=True)
    file.write_text(file.read_text() + (tmp_path / "public.pem").read_text())
    return file


@pytest.mark.skipif(os.name == "nt", reason="the system's store would have to be changed")
def test_tls_by_what_the_system_trusts(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(context) as server:
        with wired(url_of(server, "https", "localhost")) as wire, pytest.raises(NotReached, match=r"self.signed"):
            wire.request("GET", "/x")
        with pytest.raises(Unavailable, match="is not trusted here") as caught:
            Transport(Address(url_of(server, "https", "localhost"), "park_secret")).json("GET", "/status")
        assert caught.value.code == "not_trusted" and not is_away(caught.value) and not server.seen
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with wired(url_of(server, "https", "localhost")) as wire:
            assert wire.request("GET", "/x").content == b"ok"
        with wired(url_of(server, "https", "127.0.0.1")) as wire, pytest.raises(NotReached):
            wire.request("GET", "/x")  # trusted, but not of this name


@pytest.mark.parametrize("token", ["a b", "a\nX-Evil: 1", "é", "\x00"])
def test_a_token_that_none_can_be_is_not_sent(server: Any, token: str) -> None:
    transport = Transport(Address(url_of(server), token))
    with pytest.raises(Unauthorised, match="characters"):
        transport.json("GET", "/status")
    assert server.seen == []
