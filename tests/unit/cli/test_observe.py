"""`park observe slurm` and `park twin replay`: the summary, the page, the tables, errors in one line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from tests.helpers.sacct_text import EVENTS, NODES, TEXT
from tests.unit.cli.conftest import Run, one_json

import eureka_park.twin.core.play as played
from eureka_park.twin.core.played import Played

LOOK = ("observe", "slurm", "--from", "jobs.txt", "--nodes", "nodes.txt", "--events", "events.txt", "--days", "1")


@pytest.fixture(autouse=True)
def _record() -> None:
    Path("jobs.txt").write_text(TEXT)
    Path("nodes.txt").write_text(NODES)
    Path("events.txt").write_text(EVENTS)


def test_people_get_a_page_of_text(run: Run) -> None:
    told = run(*LOOK, "--gco2", "60").stdout
    assert told.startswith(
        "jobs.txt, 2026-11-25 00:00 to 2026-11-26 00:00 UTC: 22 jobs of 2 users on 2 machines with 8 GPUs."
    )
    assert "why jobs waited" in told
    assert "it came after another job" in told
    assert "2 GPUs free, 4 asked for" in told
    assert "Carbon: 60 g/kWh, given." in told
    assert "A GPU h100 with its part of the machine: 237 W idle" in told


def test_programs_get_one_document(run: Run) -> None:
    found = one_json(run(*LOOK, "--json", "--pue", "1.5"))
    assert found["jobs"]["n"] == 22
    assert found["assumed"]["pue"] == 1.5
    assert found["assumed"]["gco2_source"].startswith("grid of site eureka-park")
    assert {"reasons", "longest", "energy", "wait_s", "idle_while_waiting_gpu_h"} <= set(found)
    assert len(found["energy"]["by_hour"]) == 25


def test_a_folder_holds_the_page_and_the_tables(run: Run) -> None:
    done = run(*LOOK, "--out", "look")
    assert done.exit_code == 0
    assert sorted(path.name for path in Path("look").iterdir()) == [
        "figures.json",
        "hours.csv",
        "index.html",
        "receipts.csv",
    ]
    page = Path("look/index.html").read_text()
    assert "Jobs waited 1" in page
    assert "<svg" in page
    assert "light-dark(" in page
    for outside in ("<script", "<link", "http://", "https://", "@import", "url("):
        assert outside not in page
    figures = json.loads(Path("look/figures.json").read_text())
    with Path("look/receipts.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 15  # those that ran, attempts apart
    assert sum(float(row["kwh"]) for row in rows) == pytest.approx(figures["energy"]["kwh"], abs=0.01)
    assert {row["method"] for row in rows} == {"modelled"}


def test_names_in_the_record_steer_neither_page_nor_terminal_nor_spreadsheet(run: Run) -> None:
    Path("jobs.txt").write_text(TEXT.replace("biology", "<b>=1+1\x1b[31m").replace("|amal|", "|=HYPERLINK(1)|"))
    told = run(*LOOK, "--out", "look").stdout
    assert "\x1b" not in told
    page = Path("look/index.html").read_text()
    assert "<b>=1" not in page
    assert "&lt;b&gt;=1+1" in page
    assert "'=HYPERLINK(1)" in Path("look/receipts.csv").read_text()


def test_a_french_page(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARK_LANG", "fr")
    told = run(*LOOK, "--out", "look").stdout
    page = Path("look/index.html").read_text()
    assert '<html lang="fr">' in page
    for english in ("why jobs waited", "too few GPUs", "Carbon:", "Accounts", "Day by day"):
        assert english not in told + page


def test_an_intensity_that_is_no_number_is_told_with_its_line(program: Run) -> None:
    Path("co2.csv").write_text("hour,gco2_per_kwh\n2026-11-25T00:00:00Z,100\n2026-11-25T01:00:00Z,nan\n")
    assert "co2.csv, line 3" in program(*LOOK, "--gco2", "co2.csv").stderr


def test_hours_of_carbon_intensity(run: Run) -> None:
    hours = "\n".join(f"2026-11-25T{hour:02d}:00:00Z,{100 if hour < 12 else 300}" for hour in range(24))
    Path("co2.csv").write_text(f"hour,gco2_per_kwh\n{hours}\n")
    found = one_json(run(*LOOK, "--json", "--gco2", "co2.csv"))
    by_hour = found["energy"]["by_hour"]
    assert by_hour[1]["gco2_g"] == pytest.approx(100 * by_hour[1]["kwh"], abs=0.1)
    assert by_hour[20]["gco2_g"] == pytest.approx(300 * by_hour[20]["kwh"], abs=0.1)
    assert sum(hour["gco2_g"] for hour in by_hour) / 1000 == pytest.approx(found["energy"]["gco2_kg"], abs=0.01)


def test_a_site_file_lends_machines_grid_and_pue(run: Run) -> None:
    found = one_json(run(*LOOK, "--json", "--site", "eureka-park"))
    assert found["assumed"]["pue"] == 1.15
    assert found["assumed"]["gpu_w"]["h100"]["source"] == "site eureka-park, h100-8"
    given = one_json(run(*LOOK, "--json", "--gpu-watts", "H100=500", "--power-frac", "1"))
    assert given["assumed"]["gpu_w"]["h100"]["held"] == 500.0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "none.txt"), "There is no file 'none.txt'."),
        (("--from", "nodes.txt"), "This is no output of sacct"),
        (("--nodes", "jobs.txt"), "This is no output of 'scontrol show node'"),
        (("--timezone", "Mars/Base"), "There is no time zone 'Mars/Base'."),
        (("--gpu-watts", "h100"), "'h100' is no power of a GPU."),
        (("--gpu-watts", "h100=\N{SUPERSCRIPT TWO}"), "'h100=\N{SUPERSCRIPT TWO}' is no power of a GPU."),
        (("--gco2", "nodes.txt"), "nodes.txt, line 2: no hour and intensity."),
        (("--gco2", "\N{SUPERSCRIPT TWO}"), "'\N{SUPERSCRIPT TWO}' cannot be read."),
        (("--out", "jobs.txt/look"), "'jobs.txt/look' cannot be written"),
    ],
)
def test_errors_are_one_line_with_a_fix(program: Run, words: tuple[str, ...], said: str) -> None:
    done = program(*LOOK, *words)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"park: {said}")
    assert done.stderr.count("\n") == 1


def test_a_reading_that_fails_leaves_no_page_but_what_was_begun(run: Run, program: Run) -> None:
    Path("jobs.txt").write_text(TEXT + "\n".join("x" for _ in range(50)))
    assert program(*LOOK, "--out", "look").returncode == 1
    assert [path.name for path in Path("look").iterdir()] == ["receipts.csv.part"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_told_in_one_line(program: Run) -> None:
    Path("look").mkdir()
    Path("look/receipts.csv.part").symlink_to("/dev/full")
    done = program(*LOOK, "--out", "look")
    assert (done.returncode, done.stderr) == (
        1, "park: 'look' cannot be written: No space left on device. Choose another folder.\n",
    )  # fmt: skip
    assert not Path("look/index.html").exists()


def test_what_to_type_on_the_cluster(run: Run) -> None:
    told = run("observe", "slurm", "--commands", "--days", "7").stdout.splitlines()
    assert [line.split(" > ")[1] for line in told] == ["jobs.txt", "nodes.txt", "events.txt"]
    assert told[0].startswith("SLURM_TIME_FORMAT=%s sacct --allusers")
    assert "--starttime=now-168hours" in told[0]


def test_without_slurm_the_fix_says_how_to_bring_a_file(program: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    done = program("observe", "slurm")
    assert done.returncode == 1
    assert "There is no scontrol here." in done.stderr
    assert "--from jobs.txt" in done.stderr


# The replay -------------------------------------------------------------------------------------


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def play(_opening: object, work: object, *_more: object, **_named: object) -> Played:
        n = work.n_jobs  # type: ignore[attr-defined]
        return Played(
            work.submit_s, work.submit_s + work.run_s, np.zeros(n, np.int32), work.run_s, 172_800.0, 0, 0.0, "d"  # type: ignore[attr-defined]
        )  # fmt: skip

    monkeypatch.setattr(played, "play", play)


REPLAY = ("twin", "replay", "--from", "jobs.txt", "--nodes", "nodes.txt", "--days", "1")


@pytest.mark.usefixtures("_at_once")
def test_a_replay_in_three_columns(run: Run) -> None:
    told = run(*REPLAY).stdout
    assert "as it was  first come, backfill  this park's policy" in told
    assert "jobs played again as flex, on a grid without limit." in told
    assert "attempts that ran again later 1" in told
    found = one_json(run(*REPLAY, "--json", "--tier", "firm"))
    assert set(found["sides"]) == {"recorded", "fcfs-easy", "park"}
    assert (found["tier"], found["sides"]["park"]["wait_s"]["p95"]) == ("firm", 0.0)
    assert found["change"]["wait_p95_s"] < 0.0


@pytest.mark.usefixtures("_at_once")
def test_a_replay_has_the_policies_that_are_asked_for(run: Run) -> None:
    Path("mine.toml").write_text("[policy]\nlookahead = 3\n")
    found = one_json(run(*REPLAY, "--json", "--policy", "hard-cut,mine.toml"))
    assert set(found["sides"]) == {"recorded", "hard-cut", "mine"}
    assert found["change"]["wait_mean_s"] == -found["sides"]["recorded"]["wait_s"]["mean"], "of the last one"
    week = one_json(run(*REPLAY[:-2], "--json", "--last", "1d"))
    assert week["days"] == 1.0


def test_a_replay_needs_a_record(program: Run) -> None:
    done = program("twin", "replay")
    assert done.returncode == 2
    assert "--from" in done.stderr
