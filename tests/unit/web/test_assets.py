"""Addresses of built files, packed answers, what is kept how long."""

from __future__ import annotations

import asyncio
import gzip
import re
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from fastapi.testclient import TestClient

from eureka_park.foundation.errors import Internal
from eureka_park.web import assets
from eureka_park.web.assets import BUILT, STATIC, Squeeze, Static, asset

LONG = "<p>éclat</p>" * 500


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI()
    app.mount("/static", Static(directory=STATIC))
    answers: dict[str, Response] = {
        "page": HTMLResponse(LONG, headers={"Vary": "Cookie"}),
        "short": HTMLResponse("<p>"),
        "json": JSONResponse({"text": LONG}),
        "log": PlainTextResponse(LONG),
        "packed": HTMLResponse(b"x" * 2000, headers={"Content-Encoding": "br"}),
    }
    for name, answer in answers.items():
        app.add_api_route(f"/{name}", lambda answer=answer: answer, response_class=Response)
    app.add_api_route("/events", _events, response_class=Response)
    app.add_api_route("/pieces", _pieces, response_class=Response)
    app.add_middleware(Squeeze)
    return TestClient(app)


def _events() -> StreamingResponse:
    return StreamingResponse(iter(["data: 1\n\n"] * 500), media_type="text/event-stream")


def _pieces() -> StreamingResponse:
    return StreamingResponse(
        iter([LONG, LONG]), media_type="text/html", headers={"Content-Length": str(2 * len(LONG.encode()))}
    )


def test_an_address_carries_the_content_s_version() -> None:
    address = asset("park.css")
    assert re.fullmatch(r"/static/built/park\.css\?v=[0-9a-f]{12}", address)
    assert asset("live.js").split("=")[1] != address.split("=")[1]


def test_what_was_not_built_is_told_with_the_fix() -> None:
    with pytest.raises(Internal) as caught:
        asset("nothing.css")
    assert "nothing.css" in caught.value.message and "./park" in caught.value.fix and caught.value.code == "not_built"


@pytest.mark.parametrize(
    ("accept", "is_packed"),
    [
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("*", True),
        ("GZIP", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("br", False),
        ("", False),
    ],
)
def test_packed_only_for_who_can_unpack(client: TestClient, accept: str, is_packed: bool) -> None:
    for path in (asset("live.js"), "/page"):
        answer = client.get(path, headers={"Accept-Encoding": accept})
        assert (answer.headers.get("content-encoding") == "gzip") is is_packed, path
    answer = client.get(asset("live.js"), headers={"Accept-Encoding": accept})
    assert answer.content == (BUILT / "live.js").read_bytes()
    assert answer.headers["content-type"].startswith("text/javascript") and answer.headers["vary"] == "Accept-Encoding"


def test_packed_and_plain_have_their_own_tags(client: TestClient) -> None:
    packed, plain = (client.get(asset("park.css"), headers={"Accept-Encoding": name}) for name in ("gzip", "identity"))
    assert packed.headers["etag"] != plain.headers["etag"]
    for answer, name in ((packed, "gzip"), (plain, "identity")):
        again = client.get(
            asset("park.css"), headers={"Accept-Encoding": name, "If-None-Match": answer.headers["etag"]}
        )
        assert again.status_code == 304


def test_files_named_by_their_content_are_kept_for_good(client: TestClient) -> None:
    for folder in ("chunks", "fonts"):
        file = next(file for file in (BUILT / folder).iterdir() if file.suffix != ".gz")
        answer = client.get(f"/static/built/{folder}/{file.name}")
        assert "immutable" in answer.headers["cache-control"] and answer.content == file.read_bytes()
    assert "immutable" not in client.get("/static/built/live.js").headers["cache-control"]
    assert "immutable" not in client.get("/static/built/chunks/none.js").headers.get("cache-control", "")


def test_pages_and_json_are_packed_whole(client: TestClient) -> None:
    for path in ("/page", "/json"):
        answer = client.get(path, headers={"Accept-Encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip" and "Accept-Encoding" in answer.headers["vary"]
        assert int(answer.headers["content-length"]) < len(LONG) / 10 and "éclat" in answer.text
    assert "Cookie" in client.get("/page", headers={"Accept-Encoding": "gzip"}).headers["vary"]


@pytest.mark.parametrize("path", ["/short", "/log", "/packed", "/events", "/pieces"])
def test_streams_downloads_and_what_is_small_pass(client: TestClient, path: str) -> None:
    with client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers.get("content-encoding") in (None, "br")


def test_an_event_is_not_held_back() -> None:
    sent: list[dict[str, Any]] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        assert len(sent) == 1, "the beginning is sent at once"
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        assert len(sent) == 2

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "headers": [(b"accept-encoding", b"gzip")]}
    asyncio.run(Squeeze(app)(scope, None, send))  # type: ignore[arg-type]
    assert sent[1]["body"] == b"data: 1\n\n"


def test_packed_files_hold_the_same() -> None:
    files = [file for file in BUILT.rglob("*") if file.suffix in {".js", ".css"}]
    assert len(files) > 8
    for file in files:
        assert gzip.decompress(file.with_name(f"{file.name}.gz").read_bytes()) == file.read_bytes()
    assert assets.SQUEEZE_BYTES_MIN > 100
