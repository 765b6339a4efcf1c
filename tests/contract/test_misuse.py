"""What strangers may try: asking much for little, guessing codes, reading what is not theirs, sizes beyond reason."""

from __future__ import annotations

import asyncio
import gzip
import os
import re
import subprocess
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event
from tests.helpers.live_park import LivePark

from eureka_park.accounts.service import AccountsService
from eureka_park.adapters.maintenance import end_maintenance
from eureka_park.foundation.errors import BadInput, Unauthorised, Unavailable
from eureka_park.foundation.units import parse_bytes
from eureka_park.web.api.job_outputs import stream_output
from eureka_park.web.app import BODY_BYTES_MAX, LISTING_BYTES_MAX, make_app
from eureka_park.web.pages.forms import VALUE_CHARS_MAX

URL = "http://localhost:8386"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
PNG = b"\x89PNG\r\n\x1a\n"


class Open:
    """A park with a finished and a running job, a visitor and an owner."""

    def __init__(self, folder: Path) -> None:
        self.live = LivePark(folder, sky="observed")
        self.park = self.live.park
        self.job_id = str(self.live.submit(run_s=5, tier="firm"))
        self.array = str(self.live.submit(run_s=5, tier="firm", cpus=0.1, array=6))
        for task in range(6):
            self.live.engine.run_s[f"{self.array}[{task}]"] = 5
        self.live.step(times=8)
        self.visitor = TestClient(make_app(self.park), base_url=URL, raise_server_exceptions=False)
        self.person_id, _ = self.park.accounts.ensure_owner()
        self.statements: list[str] = []
        event.listen(
            self.park.db._side.reader, "before_cursor_execute", lambda _c, _k, text, *_: self.statements.append(text)
        )

    def n_asked(self, ask: Any) -> int:
        """How many statements a question takes."""
        self.statements.clear()
        ask()
        return len(self.statements)

    def write(self, name: str, content: bytes) -> Path:
        file = self.live.folder / "jobs" / self.job_id / "out" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    here = Open(tmp_path_factory.mktemp("misuse"))
    yield here
    here.park.close()


# -- codes and sessions ------------------------------------------------------------------------------------------------
def test_wrong_codes_do_not_wait_for_the_write_lock(here: Open) -> None:
    """Anybody can send them; the process that decides needs that lock."""
    accounts = AccountsService(_ReadOnly(here.park.db), here.live.clock, lambda n: b"x" * n)
    with pytest.raises(Unauthorised):
        accounts.redeem_login_code("aaaa-aaaa-aaaa", "laptop")
    with pytest.raises(Unauthorised):
        accounts.redeem_sign_in("wrong")
    accounts.end_session("none of this park")
    code = here.park.accounts.new_login_code(here.person_id)
    with pytest.raises(Unavailable):  # a right one does write
        accounts.redeem_login_code(code, "laptop")


class _ReadOnly:
    def __init__(self, db: Any) -> None:
        self.read = db.read

    def write(self) -> Any:
        raise Unavailable("The write lock was asked for.")


def test_a_code_for_a_terminal_opens_no_browser(here: Open) -> None:
    code = here.park.accounts.new_login_code(here.person_id)
    letters = code.replace("-", "")
    for tried in (code, letters, f"login:{letters}"):
        assert here.visitor.get("/sign-in", params={"code": tried}, follow_redirects=False).status_code == 401
    assert here.park.accounts.redeem_login_code(code, "laptop")[0]


def test_behind_a_proxy_codes_and_sessions_keep_to_tls(here: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy on another machine is not believed what it says of TLS, so the name decides."""
    monkeypatch.setenv("PARK_HOSTS", "park.example.org")
    for name, scheme, is_secure in (("park.example.org", "https", True), ("localhost:8386", "http", False)):
        browser = TestClient(make_app(here.park), base_url=f"http://{name}", raise_server_exceptions=False)
        token = {"Authorization": f"Bearer {here.park.accounts.new_token(here.person_id, 'test')}"}
        link = f"/sign-in?code={here.park.accounts.new_sign_in_link(here.person_id)}"
        cookie = browser.get(link, follow_redirects=False).headers["set-cookie"]
        assert ("Secure" in cookie) is is_secure and "HttpOnly" in cookie and "SameSite=lax" in cookie
        page = browser.post("/connect", headers={"Accept": "text/html", **token})
        assert f"park login {scheme}://{name} --code" in page.text


def _is_posted_to(route: Any) -> bool:
    return "POST" in (getattr(route, "methods", None) or ())


def test_no_route_that_changes_something_takes_a_session_from_another_site(here: Open) -> None:
    app = make_app(here.park)
    link = f"/sign-in?code={here.park.accounts.new_sign_in_link(here.person_id)}"
    browser = TestClient(app, base_url=URL, raise_server_exceptions=False)
    assert browser.get(link, follow_redirects=False).status_code == 303
    named = {(path, method.upper()) for path, item in app.openapi()["paths"].items() for method in item}
    pages = {str(getattr(route, "path", "")) for route in app.routes if _is_posted_to(route)}
    ways = {way for way in named if way[1] not in {"GET", "HEAD"}} | {(path, "POST") for path in pages}
    assert {"/submit", "/submit/quote", "/connect", "/jobs/cancel", "/jobs/{job_id}/cancel", "/sign-out"} <= pages
    spent_by_all = {(f"/api/v1/login{rest}", "POST") for rest in ("", "/device", "/device/token")}
    for path, method in ways - spent_by_all:  # whoever has a code spends it; no session counts there
        plain = re.sub(r":\w+}", "}", path)
        place = plain.format_map(defaultdict(lambda: "none", job_id=here.job_id, sha256="0" * 64, run_id="0" * 12))
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {}):
            answer = browser.request(method, place, headers={**FORM, **headers}, follow_redirects=False)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "cross_site"), (path, method)
    assert browser.get("/api/v1/login").status_code == 200, "the session lives on"


# -- what is kept ------------------------------------------------------------------------------------------------------
def test_no_answer_is_kept_that_depends_on_who_asks(here: Open) -> None:
    paths = ["/api/v1/jobs", f"/api/v1/jobs/{here.job_id}", f"/api/v1/jobs/{here.job_id}/receipt", "/api/v1/gantt"]
    for path in (*paths, "/", "/jobs", f"/jobs/{here.job_id}", "/nothing", "/api/v1/nothing", "/sign-in?code=x"):
        assert here.visitor.get(path, follow_redirects=False).headers["cache-control"] == "no-store", path
    assert here.visitor.post("/sign-out", headers={"Origin": URL}, follow_redirects=False).headers["cache-control"]
    assert "max-age" in here.visitor.get("/static/favicon.svg").headers["cache-control"]


# -- sizes -------------------------------------------------------------------------------------------------------------
def test_only_the_listing_of_a_folder_may_be_large(here: Open) -> None:
    for path, most in (("/api/v1/quotes", BODY_BYTES_MAX), ("/api/v1/snapshots", LISTING_BYTES_MAX)):
        headers = {**JSON, "Content-Length": str(most + 1)}
        answer = here.visitor.request("POST", path, content=b"", headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "too_large")
        assert f"{most // 1024**2} MiB" in answer.json()["error"]["message"]


def test_a_project_called_blobs_lifts_no_limit(here: Open) -> None:
    for method, path in (
        ("POST", "/api/v1/projects/blobs/invitations"),
        ("PUT", f"/api/v1/projects/blobs/{'a' * 64}"),
        ("POST", f"/api/v1/blobs/{'a' * 64}"),
        ("PUT", "/api/v1/blobs/short"),
    ):
        large = here.visitor.request(
            method, path, content=b"", headers={**JSON, "Content-Length": str(BODY_BYTES_MAX + 1)}
        )
        assert (large.status_code, large.json()["error"]["code"]) == (422, "too_large"), path
        unsaid = here.visitor.request(method, path, content=iter([b"x"]), headers=JSON)
        assert (unsaid.status_code, unsaid.json()["error"]["code"]) == (422, "length_required"), path


def test_what_was_wrong_is_quoted_and_not_repeated(here: Open) -> None:
    answer = here.visitor.post("/api/v1/quotes", json={"command": [["x"] * 1000] * 100})
    assert answer.status_code == 422 and len(answer.text) < 500


def test_a_field_of_a_form_is_as_long_as_a_command_at_most(here: Open) -> None:
    for name in ("command", "after", "time", "packages"):
        body = f"kind=command&{name}=" + "a+" * (VALUE_CHARS_MAX // 2 + 1)
        answer = here.visitor.post("/submit/quote", content=body, headers=FORM)
        assert (answer.status_code, answer.json()["error"]["field"]) == (413, name)
    body = "kind=script&file=job.py&script=" + "a+" * (VALUE_CHARS_MAX // 2 + 1)
    assert here.visitor.post("/submit/quote", content=body, headers=FORM).status_code == 200


@pytest.mark.parametrize("text", ["9" * 400, "9" * 30, "9" * 20 + "TiB"])
def test_a_size_beyond_all_memory_is_an_error_of_the_field(here: Open, text: str) -> None:
    with pytest.raises(BadInput):
        parse_bytes(text)
    answer = here.visitor.post("/submit/quote", data={"kind": "command", "command": "true", "memory": text})
    assert answer.status_code == 200 and "larger than any memory" in answer.text


# -- much work for little ----------------------------------------------------------------------------------------------
def test_a_long_list_of_jobs_to_run_after_is_looked_up_in_blocks(here: Open) -> None:
    def ask(names: list[str]) -> int:
        body = {"command": ["true"], "after": names}
        return here.n_asked(lambda: here.visitor.post("/api/v1/quotes", json=body))

    assert ask(["a"] * 10_000) < 60
    assert ask([f"j{number}" for number in range(9_000)]) < 150
    assert ask([here.job_id] * 2_000) < 60


def test_the_receipt_of_an_array_is_summed_once(here: Open) -> None:
    path = f"/api/v1/jobs/{here.array}/receipt"
    first = here.visitor.get(path).json()
    assert first["kwh"] > 0 and len(here.visitor.get(f"/api/v1/jobs/{here.array}").json()["task_states"]) == 1
    asked = here.n_asked(lambda: here.visitor.get(path))
    assert here.visitor.get(path).json() == first
    assert not [text for text in here.statements if "receipts" in text] and asked < 10


def test_the_receipt_of_an_array_that_runs_reads_none_of_its_tasks(here: Open) -> None:
    array = str(here.live.submit(run_s=1e6, tier="firm", cpus=0.1, array=6))
    here.live.step(times=2)
    asked = here.n_asked(lambda: here.visitor.get(f"/api/v1/jobs/{array}/receipt"))
    assert asked < 10 and not [text for text in here.statements if "receipts" in text]
    here.park.compute.cancel(here.live.owner, array)
    here.live.step(times=3)
    assert here.visitor.get(f"/api/v1/jobs/{array}/receipt").status_code == 200


def test_a_large_answer_is_packed_beside_the_others(here: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packing on the loop would hold up everybody."""
    threads: list[str] = []
    squeeze = gzip.compress

    def compress(data: bytes, *rest: Any, **more: Any) -> bytes:
        threads.append(threading.current_thread().name)
        packed: bytes = squeeze(data, *rest, **more)
        return packed

    monkeypatch.setattr(gzip, "compress", compress)
    log = here.live.folder / "jobs" / here.job_id / "log.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"a line of a log\n" * 100_000)
    answer = here.visitor.get(f"/api/v1/jobs/{here.job_id}/logs/lines?n=5000", headers={"Accept-Encoding": "identity"})
    small = here.visitor.get(f"/api/v1/jobs/{here.job_id}/logs/lines?n=100")
    assert len(threads) == 1 and small.headers["content-encoding"] == "gzip"
    log.write_bytes(b"a line of a log, a longer one than before, of which five thousand are many\n" * 10_000)
    large = here.visitor.get(f"/api/v1/jobs/{here.job_id}/logs/lines?n=5000")
    assert large.headers["content-encoding"] == "gzip" and len(large.json()["lines"]) == 5000
    assert "content-encoding" not in answer.headers and threads[1] != threads[0] and "AnyIO" in threads[1]


# -- outputs -----------------------------------------------------------------------------------------------------------
def test_a_picture_is_sent_in_pieces(here: Open) -> None:
    picture = PNG + b"x" * 1_000_000
    here.write("large.png", picture)
    with here.visitor.stream("GET", f"/api/v1/jobs/{here.job_id}/outputs/large.png?preview=1") as answer:
        assert answer.headers["content-type"] == "image/png" and answer.headers["content-length"] == str(len(picture))
        assert answer.headers["content-security-policy"].startswith("sandbox")
        assert b"".join(answer.iter_bytes()) == picture
    page = here.visitor.get(f"/jobs/{here.job_id}/outputs/large.png", headers={"Accept": "text/html"})
    assert "large.png?preview=1" in page.text


def test_folders_nested_beyond_all_reason_break_no_page(here: Open) -> None:
    here.write("plain.txt", b"x")
    folder = os.open(here.live.folder / "jobs" / here.job_id / "out", os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("a", dir_fd=folder)
        inner = os.open("a", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(os.open("deep.txt", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
    os.close(folder)
    try:
        page = here.visitor.get(f"/jobs/{here.job_id}", headers={"Accept": "text/html"})
        assert page.status_code == 200 and "deep.txt" in page.text and "plain.txt" in page.text
        paths = [item["path"] for item in here.visitor.get(f"/api/v1/jobs/{here.job_id}/outputs").json()["items"]]
        assert "a/" * 1500 + "deep.txt" in paths and "plain.txt" in paths
    finally:  # what clears the folders of tests away cannot go so deep
        subprocess.run(["rm", "-rf", here.live.folder / "jobs" / here.job_id / "out" / "a"], check=True)


def test_a_file_that_grows_is_sent_as_long_as_was_said(here: Open) -> None:
    file = here.write("growing.txt", b"a" * 100)
    answer = stream_output(here.park, None, here.job_id, "growing.txt")
    file.write_bytes(b"a" * 200)
    sent: list[bytes] = []

    async def read() -> None:
        async for chunk in answer.body_iterator:
            sent.append(bytes(chunk))  # type: ignore[arg-type]

    asyncio.run(read())
    assert answer.headers["content-length"] == "100" and len(b"".join(sent)) == 100


# -- maintenance -------------------------------------------------------------------------------------------------------
def test_a_notice_that_is_no_text_is_a_notice(here: Open) -> None:
    (here.live.folder / "maintenance.json").write_bytes(b"\xff\xfe{")
    try:
        assert here.visitor.get("/", headers={"Accept": "text/html"}).status_code == 503
    finally:
        end_maintenance(here.park.home)


@pytest.mark.parametrize("until_s", ["1e300", "NaN", "Infinity", "9e11"])
def test_an_end_that_no_calendar_holds_closes_no_page_with_an_error(here: Open, until_s: str) -> None:
    note = f'{{"message": "New disks.", "since_s": 0, "until_s": {until_s}}}'
    here.park.home.write("maintenance.json", note)
    try:
        answer = here.visitor.get("/", headers={"Accept": "text/html"})
        assert answer.status_code == 503 and "New disks." in answer.text
        assert here.visitor.post("/api/v1/login", json={"code": "x"}).status_code == 503
    finally:
        end_maintenance(here.park.home)
    assert here.visitor.get("/").status_code == 200
