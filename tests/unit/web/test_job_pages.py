"""What the page of a job says without a park: endings in words, promises, the end of a log, outputs as a tree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eureka_park.web.pages.job import machines_of
from eureka_park.web.pages.job_end import failure_of, happened, promise_of, sentence_of
from eureka_park.web.pages.job_files import TAIL_BYTES, can_look, log_tail, plain, tree_of
from eureka_park.web.pages.job_gantt import dark_between
from eureka_park.web.pages.job_receipt import figure_and_unit
from eureka_park.web.pages.words import CLOSE, OPEN, Words

WORDS = Words("en")
JOB: dict[str, Any] = {
    "state": "failed", "exit_code": 1, "exit_signal": None, "detail": "", "time_s": 600.0, "cap_frac": 1.0,
    "started_at": "2026-11-22T12:00:00.000Z", "reasons": [],
}  # fmt: skip


def bare(text: str) -> str:
    return text.replace(OPEN, "").replace(CLOSE, "")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"exit_code": 127}, "The command was not found"),
        ({"exit_code": 137}, "needed more memory"),
        ({"exit_code": None, "exit_signal": 9}, "needed more memory"),
        ({"exit_code": None, "exit_signal": 11}, "The program crashed"),
        ({"exit_code": None, "exit_signal": 31}, "ended by signal 31"),
        ({"exit_code": 42}, "exit code 42"),
        ({"exit_code": None, "detail": "Its environment could not be made."}, "could not be started"),
        (
            {"exit_code": None, "exit_signal": 15, "detail": "It ran longer than its declared 10 min."},
            "more than the 10 min",
        ),
        ({"state": "lost"}, "not the fault of the program"),
    ],
)
def test_every_ending_is_explained(facts: dict[str, Any], said: str) -> None:
    found = failure_of(WORDS, {**JOB, **facts}, "")
    assert found is not None and said in bare(found["meaning"]) and found["tries"]


@pytest.mark.parametrize(
    ("tail", "said"),
    [
        ("ModuleNotFoundError: No module named 'sklearn'", "--with sklearn"),
        ("torch.cuda: out of memory", "--memory"),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'data.csv'", "data.csv"),
        ("PermissionError: [Errno 13] Permission denied: '/etc/x'", "PARK_OUTPUT_DIR"),
        ("OSError: [Errno 28] No space left on device", "disk"),
    ],
)
def test_what_the_log_says_is_tried_first(tail: str, said: str) -> None:
    found = failure_of(WORDS, JOB, f"begin\n\n{tail}\n")
    assert found is not None and said in bare(found["tries"][0])
    assert found["lines"] == f"begin\n{tail}"


def test_those_that_did_not_fail_need_no_advice() -> None:
    assert failure_of(WORDS, {**JOB, "state": "finished"}, "") is None
    assert failure_of(WORDS, {**JOB, "state": "cancelled"}, "") is None


def test_a_sentence_for_every_state() -> None:
    for state in (
        "queued",
        "starting",
        "running",
        "pausing",
        "paused",
        "frozen",
        "finished",
        "failed",
        "cancelled",
        "lost",
    ):
        assert sentence_of(WORDS, {**JOB, "state": state}, 90.0).endswith(".")
    assert "62" in sentence_of(WORDS, {**JOB, "state": "running", "cap_frac": 0.62}, 90.0)
    assert "before it ran" in sentence_of(WORDS, {**JOB, "state": "cancelled", "started_at": None}, 0.0)


def test_what_happened_is_told_or_kept_in_english() -> None:
    row = {"what": "capped", "text": "Power cap 62%.", "cap_frac": 0.62, "node": "n1"}
    assert "62" in happened(WORDS, row)[0] and "full power" in happened(WORDS, {**row, "cap_frac": 1.0})[0]
    assert "n1" in happened(WORDS, {**row, "what": "starting"})[0]
    assert happened(Words("fr"), {**row, "what": "something new"}) == ("Power cap 62%.", "en")


def test_a_promise_is_of_the_future() -> None:
    job = {"reasons": [{"until": "1970-01-01T01:00:00.000Z"}]}
    assert promise_of(job, 10.0) == 3600.0
    assert promise_of(job, 3600.0) is None and promise_of({"reasons": [{"until": None}]}, 0.0) is None
    assert promise_of({"reasons": []}, 0.0) is None


def test_the_end_of_a_log_is_whole_lines_without_colours(tmp_path: Path) -> None:
    file = tmp_path / "log.txt"
    assert log_tail(file) == ("", 0, False)
    file.write_bytes(b"\x1b[1;31mred\x1b[0m \xe2\x82\xac\n")
    assert log_tail(file) == ("red €\n", 19, False)
    line = "abcdefé\n".encode()
    file.write_bytes(line * (2 * TAIL_BYTES // len(line)))
    text, end, is_cut = log_tail(file)
    assert end == file.stat().st_size and is_cut and set(text.split("\n")) == {"abcdefé", ""}
    assert plain("\x1b]0;title\x07a\x1b[2Kb\x1b(") == "ab\x1b("


def test_outputs_stand_in_their_folders() -> None:
    items = [{"path": path, "size_bytes": size} for path, size in (("a/b/c.txt", 5), ("a/d.bin", 7), ("e #?.csv", 1))]
    root = tree_of(WORDS, "job-x[2]", items)
    assert (root.n_files, root.size_bytes) == (3, 13)
    assert (root.folders["a"].n_files, root.folders["a"].folders["b"].size_bytes) == (2, 5)
    [leaf] = root.files
    assert leaf["link"] == "/api/v1/jobs/job-x%5B2%5D/outputs/e%20%23%3F.csv" and leaf["look"].startswith("/jobs/job-x")
    assert root.folders["a"].files[0]["look"] == ""
    assert can_look("README") and can_look("plot.PNG") and not can_look("model.npz")


def test_a_figure_stands_apart_from_its_unit() -> None:
    for lang in ("en", "fr", "ar"):
        figure, unit = figure_and_unit(Words(lang).energy(0.0124))
        assert bare(figure) in {"12.4", "12,4"} and unit and OPEN not in unit and CLOSE not in unit


def test_dark_hours_cover_the_nights_only() -> None:
    from eureka_park.foundation.site_reading import load_site

    site, noon_s = load_site("eureka-park"), 1_795_348_800.0
    dark = dark_between(site, noon_s - 86400, noon_s + 86400)
    assert len(dark) == 2 and all(until_s - from_s == pytest.approx(13.7 * 3600, rel=0.05) for from_s, until_s in dark)
    assert dark_between(site, noon_s - 3600, noon_s) == []
    assert dark_between(site, noon_s + 8 * 3600, noon_s + 9 * 3600) == [(noon_s + 8 * 3600, noon_s + 9 * 3600)]


def test_a_gang_says_how_many_of_its_machines_it_has() -> None:
    job = {"node": "rack-0", "nodes": 4, "held_nodes": ["rack-0", "rack-1"]}
    assert bare(machines_of(WORDS, job)) == "runs on 2 of 4 machines: rack-0, rack-1"
    assert bare(machines_of(Words("fr"), job)).startswith("tourne sur 2 machines sur 4")
    many = {"node": "n0", "nodes": 20, "held_nodes": [f"n{at}" for at in range(20)]}
    assert bare(machines_of(WORDS, many)) == "runs on 20 of 20 machines: n0, n1, n2, n3, n4, n5, n6, n7, …"
    assert bare(machines_of(WORDS, {"node": "rack-0", "nodes": 1, "held_nodes": ["rack-0"]})) == "rack-0"
    assert machines_of(WORDS, {"node": "", "nodes": 4, "held_nodes": []}) == ""
