"""The client against a small real HTTP server."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from pathlib import Path

import pytest
from tests.unit.client.small_park import JOB, TOKEN, SmallPark, ended, error, receipt_json, running

from eureka_park.client import Park
from eureka_park.client import park as park_module
from eureka_park.foundation.errors import BadInput, Conflict, Internal, NotFound, TooLarge, Unauthorised, Unavailable


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_no_park_says_how_to_start_one() -> None:
    with pytest.raises(Unavailable) as caught:
        Park()
    assert caught.value.code == "no_park"
    assert "./park up" in caught.value.fix


def test_address_comes_from_arguments_then_environment_then_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = tmp_path / "no-home" / "run"
    run.mkdir(parents=True)
    (run / "client.json").write_text(json.dumps({"url": "http://localhost:1111", "token": "of-home"}))
    assert (Park().url, Park()._transport.address.token) == ("http://localhost:1111", "of-home")
    monkeypatch.setenv("PARK_URL", "http://park.example:2222/")
    assert Park().url == "http://park.example:2222"
    assert Park()._transport.address.token is None, "the token of this machine goes to no other park"
    monkeypatch.setenv("PARK_TOKEN", "of-env")
    assert Park()._transport.address.token == "of-env"
    assert Park("http://localhost:3333", "given").url == "http://localhost:3333"


@pytest.mark.parametrize("url", ["localhost:8386", "ftp://x", "http://", "http://x:99999999", "nonsense"])
def test_bad_address_is_bad_input(url: str) -> None:
    with pytest.raises(BadInput, match="not the address"):
        Park(url, "t")


def test_broken_client_json_is_told(tmp_path: Path) -> None:
    run = tmp_path / "no-home" / "run"
    run.mkdir(parents=True)
    (run / "client.json").write_text("{")
    with pytest.raises(Unavailable, match="cannot be read"):
        Park()


def test_a_park_that_is_down_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    with Park(f"http://127.0.0.1:{free_port()}", "t") as park, pytest.raises(Unavailable) as caught:
        park.status()
    assert caught.value.code == "not_reachable"
    assert "./park up" in caught.value.fix


def test_submit_command_sends_only_what_is_given(small: SmallPark, park: Park) -> None:
    job = park.submit(
        ["echo", "hi"], cpus=2, memory="2GiB", time="90m", by="2h", env={"A": "1"}, after=[JOB], job_class="batch"
    )
    assert job.id.startswith("job-")
    assert small.bodies == [
        {
            "command": ["echo", "hi"],
            "cpus": 2.0,
            "memory": 2 * 2**30,
            "time": 5400.0,
            "by": "2h",
            "env": {"A": "1"},
            "after": [JOB],
            "class": "batch",
        }
    ]
    assert small.asked("/jobs")[0][2]["idempotency-key"]


def test_submit_python_script_sends_it_with_its_dependencies(small: SmallPark, park: Park, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text('# /// script\n# requires-python = ">=3.11"\n# dependencies = ["numpy>=2"]\n# ///\nprint(1)\n')
    park.submit(script, args=["--epochs", "4"])
    body = small.bodies[0]
    assert body == {
        "name": "train.py",
        "script": "train.py",
        "args": ["--epochs", "4"],
        "dependencies": ["numpy>=2"],
        "requires_python": ">=3.11",
        "snapshot_id": "snap-1",
    }
    assert [file["path"] for file in small.snapshots[0]] == ["train.py"]


def test_shell_and_executable_scripts_become_commands(small: SmallPark, park: Park, tmp_path: Path) -> None:
    (tmp_path / "a.sh").write_text("echo $1\n")
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    park.submit(tmp_path / "a.sh", args=["x"])
    park.submit(tool, folder=tmp_path)
    assert small.bodies[0]["command"] == ["sh", "a.sh", "x"]
    assert small.bodies[1]["command"] == ["./tool"]
    modes = {file["path"]: file["mode"] for file in small.snapshots[1]}
    assert modes == {"a.sh": 0o644, "tool": 0o755}


def test_script_problems_are_told_before_anything_travels(small: SmallPark, park: Park, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no script"):
        park.submit(tmp_path / "gone.py")
    (tmp_path / "data.csv").write_text("1")
    with pytest.raises(BadInput, match="neither"):
        park.submit(tmp_path / "data.csv")
    (tmp_path / "outside.py").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside.py").write_text("")
    with pytest.raises(BadInput, match="not inside"):
        park.submit(tmp_path / "outside.py", folder=tmp_path / "folder")
    (tmp_path / "folder" / ".gitignore").write_text("inside.py\n")
    with pytest.raises(BadInput, match="left out"):
        park.submit(tmp_path / "folder" / "inside.py", folder=tmp_path / "folder")
    with pytest.raises(BadInput, match="no command"):
        park.submit([])
    assert small.requests == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"cpus": 0},
        {"cpus": float("nan")},
        {"gpus": -1},
        {"memory": "-1GiB"},
        {"memory": -5},
        {"time": "soon"},
        {"time": 0},
        {"by": "tomorrow"},
        {"array": 0},
        {"tier": "fast"},
        {"job_class": "bath"},
        {"env": {"A B": "x"}},
        {"env": {"A": "\0"}},
        {"checkpoint": "yes"},
        {"dependencies": ["==1"]},
        {"requires_python": "3.11"},
        {"name": "a\0b"},
        {"gpus": True},
    ],
)
def test_wrong_values_are_bad_input_and_nothing_is_sent(small: SmallPark, park: Park, wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput) as caught:
        park.submit(["true"], **wrong)  # type: ignore[arg-type]
    assert caught.value.field and caught.value.fix
    assert caught.value.message.startswith(f"'{caught.value.field}'")
    assert small.requests == []


@pytest.mark.parametrize("fault", ["drop", "refuse", 502])
def test_submit_survives_a_lost_connection_with_one_job(small: SmallPark, park: Park, fault: object) -> None:
    small.faults = [("/jobs", fault), ("/jobs", fault)]
    job = park.submit(["true"])
    keys = {headers["idempotency-key"] for _, _, headers in small.asked("/jobs")}
    assert len(small.asked("/jobs")) == 3
    assert len(keys) == 1
    assert list(small.jobs) == [job.id]


def test_submit_waits_for_a_park_that_is_just_starting() -> None:
    port, small = free_port(), SmallPark()
    with Park(f"http://127.0.0.1:{port}", TOKEN) as park:
        found: list[str] = []
        thread = threading.Thread(target=lambda: found.append(park.submit(["true"]).id))
        thread.start()
        time.sleep(0.3)
        with running(small, port):
            thread.join(5)
    assert found == list(small.jobs)


def test_errors_of_the_api_become_the_same_exceptions(small: SmallPark, park: Park) -> None:
    cases = [
        (error(409, "conflict", "Clash.", "Do."), Conflict),
        (error(413, "too_large", "Big.", "Do."), TooLarge),
        (error(422, "bad_deadline", "Past.", "Do."), BadInput),
        (error(500, "internal", "Oops.", "Report."), Internal),
        (error(418, "odd", "Odd.", "Do."), BadInput),
        (error(503, "no_plan_yet", "None.", "Wait."), Unavailable),
    ]
    for (status, body, _), kind in cases:
        small.errors["status"] = (status, body)
        with pytest.raises(kind) as caught:
            park.status()
        assert type(caught.value) is kind
        assert caught.value.code == body["error"]["code"]
        assert caught.value.message == body["error"]["message"]
    small.errors["status"] = error(422, "bad_input", "Wrong.", "Do.", field="cpus")[:2]
    with pytest.raises(BadInput) as caught_field:
        park.status()
    assert caught_field.value.field == "cpus"


def test_wrong_token_is_unauthorised(small: SmallPark) -> None:
    with Park(small.url, "wrong") as park, pytest.raises(Unauthorised):
        park.status()


def test_foreign_server_is_told(small: SmallPark, park: Park) -> None:
    small.errors["status"] = (200, b"<html>")  # type: ignore[assignment]
    with pytest.raises(Internal, match="JSON"):
        park.status()
    small.faults = [("status", 404)]
    with pytest.raises(NotFound, match="own form"):
        park.status()


def test_jobs_walks_all_pages_or_as_many_as_asked(small: SmallPark, park: Park) -> None:
    small.page = 3
    for number in range(8):
        small.add(f"job-{number}")
    assert [job["job_id"] for job in park.jobs()] == [f"job-{number}" for number in range(8)]
    assert len(list(park.jobs(limit=4))) == 4
    assert list(park.jobs(limit=0)) == []
    assert list(park.jobs(state="running")) == []


def test_job_handle_asks_the_park(small: SmallPark, park: Park) -> None:
    small.add(reasons=[{"code": "no_power", "text": "Waits for sun.", "values": {}, "until": None}])
    job = park.job(JOB)
    assert job.state == "queued"
    assert job.why()[0]["code"] == "no_power"
    assert job.cancel()["state"] == "cancelled"
    assert job.wait()["state"] == "cancelled"
    assert "cancelled" in repr(job)
    with pytest.raises(NotFound):
        park.job("job-none")


def test_task_ids_and_odd_ids_are_quoted(small: SmallPark, park: Park) -> None:
    small.add(f"{JOB}[3]")
    assert park.view(f"{JOB}[3]")["job_id"] == f"{JOB}[3]"
    with pytest.raises(NotFound):
        park.view("../status")
    assert "%2F" in small.requests[-1][1]


def test_wait_returns_when_the_job_ends_and_survives_a_restart(small: SmallPark, park: Park) -> None:
    small.add(state="running")
    small.faults = [(JOB, "refuse"), (JOB, 503)]
    timer = threading.Timer(0.2, lambda: small.jobs[JOB].update(ended()))
    timer.start()
    assert park.wait(JOB, 10)["state"] == "finished"
    timer.join()


def test_wait_gives_up_in_time(small: SmallPark, park: Park) -> None:
    small.add(state="running")
    begin_s = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        park.wait(JOB, 0.3)
    assert caught.value.code == park_module.TIMED_OUT
    assert time.monotonic() - begin_s < 2


def test_wait_until_running(small: SmallPark, park: Park, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(park_module, "LONG_POLL_S", 0.05)
    small.add()
    timer = threading.Timer(0.2, lambda: small.jobs[JOB].update(state="running"))
    timer.start()
    assert park.wait(JOB, 5, until="running")["state"] == "running"
    timer.join()
    assert "until=running" in small.requests[-1][1]


def test_logs_follow_reconnects_at_its_offset_and_cuts_no_character(small: SmallPark, park: Park) -> None:
    whole = "epoch 1 ✓\nepoch 2 ☀\n".encode()
    small.add(state="running")
    small.log, small.log_state = whole[:9], "running"  # in the middle of the check mark

    def go_on() -> None:
        small.log = whole[:15]
        small.faults = [("logs", "refuse"), ("logs", 502)]
        time.sleep(0.4)
        small.log, small.log_state = whole, "finished"

    timer = threading.Timer(0.2, go_on)
    timer.start()
    text = "".join(park.logs(JOB))
    timer.join()
    assert text == whole.decode()


def test_logs_in_chunks_from_the_end_and_without_follow(
    small: SmallPark, park: Park, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eureka_park.client.logs.CHUNK_BYTES", 7)
    small.add(state="running")
    small.log, small.log_state = b"0123456789" * 5, "running"
    assert "".join(park.logs(JOB, follow=False)) == small.log.decode()
    assert "".join(park.logs(JOB, follow=False, offset=-4)) == "6789"
    small.log = b"bad \xff\xe2"
    assert "".join(park.logs(JOB, follow=False)) == "bad ��"


def test_receipt_or_not_yet(small: SmallPark, park: Park) -> None:
    small.add()
    with pytest.raises(NotFound) as caught:
        park.receipt(JOB)
    assert caught.value.code == "no_receipt_yet"
    small.receipt = receipt_json()
    assert park.receipt(JOB)["kwh"] == sum(hour["kwh"] for hour in park.receipt(JOB)["hours"])


def test_get_brings_outputs_home(small: SmallPark, park: Park, tmp_path: Path) -> None:
    small.add()
    small.outputs = {"model.npz": b"m" * 3_000_000, "figures/a b%.png": b"a", "figures/deep/c": b"c"}
    to = tmp_path / "results"
    assert {path.relative_to(to).as_posix() for path in park.get(JOB, to=to)} == set(small.outputs)
    for name, data in small.outputs.items():
        assert (to / name).read_bytes() == data
    assert [path.name for path in park.get(JOB, "figures/deep/", tmp_path)] == ["c"]
    assert [path.name for path in park.get(JOB, "model.npz", tmp_path)] == ["model.npz"]
    with pytest.raises(NotFound) as caught:
        park.get(JOB, "none", tmp_path)
    assert "model.npz" in caught.value.fix
    assert not list(tmp_path.rglob(".park-*"))


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "a/../../evil", "a\\..\\evil", "a//b", "link/evil", "a\0b", "."]
)
def test_get_refuses_paths_that_leave_the_folder(small: SmallPark, park: Park, tmp_path: Path, name: str) -> None:
    to = tmp_path / "to"
    to.mkdir()
    (to / "link").symlink_to(tmp_path)
    small.add()
    small.outputs = {"good": b"1", name: b"2"}
    with pytest.raises(BadInput) as caught:
        park.get(JOB, to=to)
    assert caught.value.code == "unsafe_path"
    assert sorted(path.name for path in to.iterdir()) == ["link"], "nothing travels when one path is bad"


def test_get_leaves_no_half_file_behind(small: SmallPark, park: Park, tmp_path: Path) -> None:
    small.add()
    small.outputs = {"model": b"1"}
    (tmp_path / "model").write_bytes(b"old")
    small.faults = [("outputs/model", 502)]
    with pytest.raises(Unavailable):
        park.get(JOB, to=tmp_path)
    assert (tmp_path / "model").read_bytes() == b"old"
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be written"):
        park.get(JOB, to=tmp_path / "file")


def test_plan_site_status(small: SmallPark, park: Park) -> None:
    from eureka_park.foundation.power_plan import PowerPlan

    assert PowerPlan.from_json(park.plan()).n_intervals == 48
    assert park.site()["name"] == "bench"
    assert park.status()["ready"]
    small.plan = None
    with pytest.raises(Unavailable) as caught:
        park.plan()
    assert caught.value.code == "no_plan_yet"


def test_upload_sends_only_what_is_missing(small: SmallPark, park: Park, tmp_path: Path) -> None:
    for name in ("a", "b", "same-as-a"):
        (tmp_path / name).write_text("A" if "a" in name else "B")
    first = park.upload(tmp_path)
    assert (first.n_files, first.sent_files, first.sent_bytes) == (3, 2, 2)
    (tmp_path / "c").write_text("C")
    small.faults = [("/blobs", "drop"), ("/snapshots", "refuse")]
    second = park.upload(tmp_path)
    assert (second.n_files, second.sent_files) == (4, 1)
    assert park.upload_folder(tmp_path) == "snap-3"


def test_file_that_changes_while_it_is_sent(
    small: SmallPark, park: Park, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("before")
    original = park._transport.put_file

    def put_late(path: str, file: Path, heard: object) -> None:
        file.write_text("after")
        original(path, file, heard)

    monkeypatch.setattr(park._transport, "put_file", put_late)
    with pytest.raises(BadInput, match="changed while"):
        park.upload(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="proxies are named otherwise on Windows")
def test_loopback_ignores_proxies(small: SmallPark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with Park(small.url, TOKEN) as park:
        assert park.status()["ready"]
