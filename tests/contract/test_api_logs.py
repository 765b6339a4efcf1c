"""Logs by line, search in them, and a careful look at outputs, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.helpers.live_park import LivePark

from eureka_park.web.app import make_app

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452") + b"\0" * 30


class Logs:
    """A park with one finished job that has a folder."""

    def __init__(self, folder: Path) -> None:
        self.live = LivePark(folder, sky="observed")
        self.live.park.accounts.ensure_project("quiet", "Quiet", False)
        self.job_id = self.live.submit(run_s=5, tier="firm")
        self.quiet_id = self.live.submit(run_s=5, tier="firm", project="quiet")
        self.live.step(times=6)
        self.client = TestClient(make_app(self.live.park), base_url="http://localhost:8386")
        for job_id in (self.job_id, self.quiet_id):
            (self.live.folder / "jobs" / job_id / "out").mkdir(parents=True)

    def get(self, end: str, job_id: str = "", **query: Any) -> Any:
        return self.client.get(f"/api/v1/jobs/{job_id or self.job_id}{end}", params=query)

    def say(self, data: bytes) -> None:
        (self.live.folder / "jobs" / self.job_id / "log.txt").write_bytes(data)

    def write(self, name: str, data: bytes) -> None:
        (self.live.folder / "jobs" / self.job_id / "out" / name).write_bytes(data)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logs]:
    logs = Logs(tmp_path_factory.mktemp("logs"))
    yield logs
    logs.live.park.close()


def test_lines_by_number_and_from_the_end(api: Logs) -> None:
    assert api.get("/logs/lines").json()["lines"] == []
    api.say(b"".join(b"line %d\n" % number for number in range(1000)))
    found = api.get("/logs/lines", from_line=500, n=3).json()
    assert (found["first"], found["lines"]) == (500, ["line 500", "line 501", "line 502"])
    assert (found["n_lines"], found["is_over"]) == (1000, True)
    end = api.get("/logs/lines", from_line=-2).json()
    assert (end["first"], end["lines"], end["end_offset"]) == (998, ["line 998", "line 999"], end["size"])
    assert api.get("/logs/lines", from_line=5000).json()["first"] is None
    assert api.get("/logs/lines", n=0).status_code == 422 and api.get("/logs/lines", n=10**6).status_code == 422


def test_search_gives_places_numbers_and_a_cursor(api: Logs) -> None:
    api.say(b"".join(b"line %d %s\n" % (number, b"NEEDLE" if number % 100 == 7 else b"hay") for number in range(1000)))
    first = api.get("/logs/search", text="needle", limit=4).json()
    assert [match["line_no"] for match in first["matches"]] == [7, 107, 207, 307]
    rest = api.get("/logs/search", text="needle", after=first["next"]).json()
    assert len(rest["matches"]) == 6 and rest["next"] is None
    for match in first["matches"]:
        found = api.get("/logs", offset=match["offset"], limit=len(match["text"]))
        assert found.text == match["text"]
    back = api.get("/logs/search", text="needle", before=rest["size"], limit=2).json()
    assert [match["line_no"] for match in back["matches"]] == [907, 807]
    assert api.get("/logs/search", text="needle", match_case=True).json()["matches"] == []
    assert api.get("/logs/search", text="").status_code == 422
    assert api.get("/logs/search", text="x", before=1, after=1).status_code == 422


def test_a_look_at_text_is_plain_text_whatever_it_says(api: Logs) -> None:
    page = b"<!doctype html><script>alert(1)</script>"
    api.write("page.html", page)
    api.write("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')
    api.write("table.csv", "é,1\n".encode() * 40_000)
    api.write("sly.png", page)
    for name in ("page.html", "drawing.svg", "sly.png", "table.csv"):
        answer = api.get(f"/outputs/{name}", preview=1)
        assert answer.status_code == 200 and answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    cut = api.get("/outputs/table.csv", preview=1)
    assert len(cut.content) == 65536 and cut.headers["x-preview-cut"] == "true"
    assert cut.headers["x-output-size"] == "200000"
    for name in ("page.html", "sly.png"):
        whole = api.get(f"/outputs/{name}")
        assert whole.headers["content-disposition"] == "attachment" and whole.content == page
        assert whole.headers["content-type"] == "application/octet-stream"


def test_pictures_by_their_bytes_and_nothing_else(api: Logs) -> None:
    api.write("curve.txt", PNG)
    api.write("photo", b"\xff\xd8\xff\xe0" + b"\0" * 10)
    api.write("w", b"RIFF\0\0\0\0WEBPVP8 ")
    api.write("g", b"GIF89a" + b"\0" * 9)
    kinds = [
        api.get(f"/outputs/{name}", preview=1).headers["content-type"] for name in ("curve.txt", "photo", "w", "g")
    ]
    assert kinds == ["image/png", "image/jpeg", "image/webp", "image/gif"]
    assert api.get("/outputs/curve.txt", preview=1).content == PNG
    assert "sandbox" in api.get("/outputs/curve.txt", preview=1).headers["content-security-policy"]
    api.write("model.bin", b"\0\1\2")
    api.write("latin.txt", b"\xe9\xe8")
    for name in ("model.bin", "latin.txt"):
        answer = api.get(f"/outputs/{name}", preview=1)
        assert answer.status_code == 415 and answer.json()["error"]["code"] == "no_preview"
    assert api.get("/outputs/none", preview=1).status_code == 404
    assert api.get("/outputs/..%2flog.txt", preview=1).status_code == 404


def test_the_size_of_an_output_without_it(api: Logs) -> None:
    api.write("big.bin", b"x" * 12345)
    answer = api.client.head(f"/api/v1/jobs/{api.job_id}/outputs/big.bin")
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "12345", b"")
    assert api.client.head(f"/api/v1/jobs/{api.job_id}/outputs/none").status_code == 404


def test_private_logs_are_not_there_for_visitors(api: Logs) -> None:
    for end in ("/logs/lines", "/logs/search?text=x", "/outputs/x?preview=1"):
        assert api.client.get(f"/api/v1/jobs/{api.quiet_id}{end}").status_code == 404
    assert api.client.head(f"/api/v1/jobs/{api.quiet_id}/outputs/x").status_code == 404
