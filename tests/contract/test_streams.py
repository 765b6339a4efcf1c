"""Streams over a real server: long-polls, logs that follow, the park's events; and a prompt end with streams open."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest
import uvicorn
from tests.helpers.live_park import LivePark

from eureka_park.web.app import make_app
from eureka_park.web.serve import Server


class Served:
    """A park on a stepped clock behind a real server."""

    def __init__(self, folder: Path) -> None:
        self.live = LivePark(folder)
        person_id, _ = self.live.park.accounts.ensure_owner()
        token = self.live.park.accounts.new_token(person_id, "test")
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://localhost:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            make_app(self.live.park), log_level="error", lifespan="off", timeout_graceful_shutdown=2, ws="none"
        )
        self.server = Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([listener],), daemon=True)
        self.thread.start()
        self.http = httpx.Client(
            base_url=f"{self.url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=20, trust_env=False
        )
        while not self.server.started:
            time.sleep(0.01)

    def stop(self) -> float:
        begin = time.monotonic()
        self.server.should_exit = True
        self.thread.join(10)
        return time.monotonic() - begin

    def submit(self, run_s: float = 20.0) -> str:
        answer = self.http.post("/jobs", json={"command": ["true"], "tier": "firm", "cpus": 0.2})
        job_id: str = answer.json()["job_id"]
        self.live.engine.run_s[job_id] = run_s
        return job_id


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("streams"))
    yield served
    served.http.close()
    served.stop()
    served.live.park.close()


def events_of(response: httpx.Response) -> Iterator[tuple[str, dict]]:
    name = ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            yield name, json.loads(line[6:])


@contextmanager
def in_background(action: object) -> Iterator[None]:
    thread = threading.Thread(target=action, daemon=True)  # type: ignore[arg-type]
    thread.start()
    yield
    thread.join(15)


def test_long_poll_answers_when_the_job_ends(served: Served) -> None:
    job_id = served.submit()
    found: list[dict] = []
    with in_background(lambda: found.append(served.http.get(f"/jobs/{job_id}", params={"wait_s": 15}).json())):
        for _ in range(8):
            time.sleep(0.05)
            served.live.step()
    assert found and found[0]["state"] == "finished"


def test_long_poll_until_running_and_time_out(served: Served) -> None:
    job_id = served.submit(run_s=1e5)
    served.live.step(times=2)
    assert served.http.get(f"/jobs/{job_id}", params={"wait_s": 15, "until": "running"}).json()["state"] == "running"
    begin = time.monotonic()
    assert served.http.get(f"/jobs/{job_id}", params={"wait_s": 0.3}).json()["state"] == "running"
    assert 0.2 < time.monotonic() - begin < 5
    served.http.post(f"/jobs/{job_id}/cancel")
    served.live.step(times=3)


def test_log_stream_follows_to_the_end_in_order(served: Served) -> None:
    job_id = served.submit()
    served.live.step()
    log = served.live.folder / "jobs" / job_id / "log.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    heard: list[tuple[str, dict]] = []

    def listen() -> None:
        with served.http.stream("GET", f"/jobs/{job_id}/logs/stream") as response:
            heard.extend(events_of(response))

    with in_background(listen):
        text = "زلّيج é 100\n" * 300
        data = text.encode()
        for at in range(0, len(data), 777):  # cuts inside characters
            with log.open("ab") as file:
                file.write(data[at : at + 777])
            time.sleep(0.02)
        served.live.step(times=8)
    assert "".join(event["text"] for name, event in heard if name == "log") == text
    assert [event["state"] for name, event in heard if name == "state"][-1] == "finished"
    assert heard[-1][0] == "end" and heard[-1][1]["exit_code"] == 0


def test_log_stream_continues_after_last_event_id(served: Served) -> None:
    job_id = served.submit()
    served.live.step(times=8)
    log = served.live.folder / "jobs" / job_id / "log.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("0123456789")
    with served.http.stream("GET", f"/jobs/{job_id}/logs/stream", headers={"Last-Event-ID": "6"}) as response:
        heard = list(events_of(response))
    assert [event["text"] for name, event in heard if name == "log"] == ["6789"]


def test_park_events_come_at_once_and_on_change(served: Served) -> None:
    heard: list[dict] = []

    def listen() -> None:
        with served.http.stream("GET", "/events") as response:
            for name, event in events_of(response):
                assert name == "changed"
                heard.append(event)
                if len(heard) >= 2:
                    return

    with in_background(listen):
        while not heard:
            time.sleep(0.02)
        served.submit()
        for _ in range(20):
            if len(heard) >= 2:
                break
            served.live.step()
            time.sleep(0.1)
    assert len(heard) >= 2 and set(heard[0]) == {"mark", "jobs", "now"} and heard[1]["mark"] > heard[0]["mark"]
    assert set(heard[0]["now"]) == {"park_at", "site_mw", "it_mw", "clean_mw", "load_mw", "sentence_code"}


def test_many_streams_hear_the_same_few_bytes(served: Served) -> None:
    pulse = getattr(served.server.config.app.state, "pulse", None)  # type: ignore[union-attr]
    made_before = pulse.n_made if pulse else 0
    heard: list[list[str]] = [[] for _ in range(20)]

    def listen(lines: list[str]) -> None:
        with served.http.stream("GET", "/events") as response:
            for line in response.iter_lines():
                if line.startswith("data: "):
                    lines.append(line)
                    if len(lines) >= 2:
                        return

    threads = [threading.Thread(target=listen, args=(lines,), daemon=True) for lines in heard]
    for thread in threads:
        thread.start()
    while not all(heard):
        time.sleep(0.02)
    served.submit()
    while any(thread.is_alive() for thread in threads):
        served.live.step()
        time.sleep(0.1)
    made = served.server.config.app.state.pulse.n_made - made_before  # type: ignore[union-attr]
    assert made < 20, "one event for all, not one for each"
    assert len({lines[-1] for lines in heard}) <= made


def test_who_reads_slowly_gets_the_newest_and_holds_up_nobody(served: Served) -> None:
    """A listener that reads nothing for a while misses events: the server keeps none for it."""
    facts = {"big": "x" * 200_000}
    app = served.server.config.app
    with served.http.stream("GET", "/events") as response:  # makes the pulse
        next(response.iter_lines())
    pulse = app.state.pulse  # type: ignore[union-attr]
    real, pulse._facts = pulse._facts, lambda: facts
    try:
        port = int(served.url.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port)) as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            made = pulse.n_made
            end_s = time.monotonic() + 20
            while pulse.n_made < made + 4 and time.monotonic() < end_s:
                served.live.step()
                time.sleep(0.2)
            assert pulse.n_made >= made + 4
            begin_s, size = time.monotonic(), 0
            slow.settimeout(1.0)
            try:
                while chunk := slow.recv(1 << 16):
                    size += len(chunk)
                    assert time.monotonic() - begin_s < 15
            except TimeoutError:
                pass
        # No event twice: at most those made meanwhile, one before them, and heads. How many is a matter of pace.
        assert size < (pulse.n_made - made + 1) * 200_000 + 100_000
    finally:
        pulse._facts = real


def test_server_stops_promptly_with_streams_open(tmp_path: Path) -> None:
    served = Served(tmp_path)
    with served.http.stream("GET", "/events") as response:
        next(response.iter_lines())
        assert served.stop() < 4
    served.live.park.close()
