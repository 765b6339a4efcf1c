"""A small cluster looked at: receipts, reasons and idle GPUs of a hand-written record."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.sacct_text import DAY_S, EVENTS, NODES, ROWS, TEXT, row

from eureka_park.foundation.errors import BadInput, NotFound, ParkError, Unavailable
from eureka_park.foundation.zones import ZoneInfo
from eureka_park.twin import observe as module
from eureka_park.twin import slurm_files
from eureka_park.twin.core.sacct import FIELDS
from eureka_park.twin.core.slurm_power import GpuPower, PowerModel
from eureka_park.twin.core.wait_hist import WaitHist
from eureka_park.twin.observe import ObserveRequest, observe
from eureka_park.twin.slurm_files import Counts, SlurmSource, read_jobs, sacct_command

POWER = PowerModel({"h100": GpuPower(100.0, 1100.0, False, "given")}, power_frac=0.5, gco2_per_kwh=400.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "jobs.txt").write_text(TEXT)
    (tmp_path / "nodes.txt").write_text(NODES)
    (tmp_path / "events.txt").write_text(EVENTS)
    return tmp_path


def look(folder: Path, jobs: str = "jobs.txt", **more: Any) -> dict[str, Any]:
    plain = {"nodes": folder / "nodes.txt", "events": folder / "events.txt", "days": 1.0}
    source = SlurmSource(folder / jobs, **{**plain, **more})
    return observe(ObserveRequest(source, POWER, 0.0))


def test_jobs_and_machines(folder: Path) -> None:
    found = look(folder)
    assert found["to_at"] == "2026-11-26T00:00:01.000Z"
    assert found["rows"]["n_steps"] == 1
    assert found["jobs"]["n"] == len(ROWS) - 1 + 4  # a step less, four more tasks in a row of an array
    assert found["jobs"]["by_state"]["CANCELLED"] == 2
    assert (found["jobs"]["n_running"], found["jobs"]["n_waiting"], found["jobs"]["n_users"]) == (1, 6, 2)
    assert found["machines"]["by_kind"] == {"h100": {"n_nodes": 2, "n_gpus": 8}}
    assert [row["name"] for row in found["by_kind"]] == ["h100", "cpu"]  # those that wait named no kind


def test_energy_is_power_times_time(folder: Path) -> None:
    found = look(folder)
    gpu_min = 240 * 6 + 240 + 120 + 60 + 40 + 140 + 90 + 480 + 60 + 400 + 720 + 3 * 250
    assert found["energy"]["gpu_h"] == pytest.approx(gpu_min / 60, abs=0.01)
    cpu_only_kwh = 8 * 6.0 / 1000.0  # job 9+1: one hour
    assert found["energy"]["kwh"] == pytest.approx(0.6 * gpu_min / 60 + cpu_only_kwh, rel=1e-3)
    assert found["energy"]["gco2_kg"] == pytest.approx(0.4 * found["energy"]["kwh"])
    hours = found["energy"]["by_hour"]
    assert sum(hour["kwh"] for hour in hours) == pytest.approx(found["energy"]["kwh"], abs=1e-2)
    assert hours[1]["kwh"] == pytest.approx(0.6 * 6)
    assert found["energy"]["run_again_kwh"] == pytest.approx(0.6 * 2 * 20 / 60)


def test_reasons(folder: Path) -> None:
    hours = {item["reason"]: item["wait_h"] for item in look(folder)["reasons"]}
    assert hours["no_free_gpu"] == pytest.approx(180 / 60 + 60 / 60, abs=0.01)  # jobs 3 and 14
    assert hours["order"] == pytest.approx((30 + 40 + 10 + 10 + 10 + 5 * 40) / 60, abs=0.01)
    assert hours["dependency"] == pytest.approx(5.0)
    assert hours["array_limit"] == pytest.approx(0.5)
    assert hours["out_of_service"] == pytest.approx(1.0)
    assert sum(item["frac"] for item in look(folder)["reasons"]) == pytest.approx(1.0)


def test_without_outages_those_gpus_count_as_free(folder: Path) -> None:
    found = look(folder, events=None)
    reasons = {item["reason"] for item in found["reasons"]}
    assert "out_of_service" not in reasons
    assert found["idle_while_waiting_gpu_h"] > look(folder)["idle_while_waiting_gpu_h"]


def test_the_longest_waits_come_with_their_numbers(folder: Path) -> None:
    first = look(folder)["longest"][0]
    assert (first["job"], first["reason"], first["queued_s"]) == ("3", "no_free_gpu", 10_800.0)
    assert first["numbers"]["asked"] == 4
    assert first["numbers"]["free"] == 2


def test_machines_are_seen_in_the_record_where_nobody_names_them(folder: Path) -> None:
    found = look(folder, nodes=None, events=None)
    assert found["machines"]["known_from"] == "jobs"
    assert found["machines"]["by_kind"] == {"h100": {"n_nodes": 2, "n_gpus": 8}}


def test_a_packed_file_is_the_same(folder: Path) -> None:
    (folder / "jobs.txt.gz").write_bytes(gzip.compress(TEXT.encode()))
    assert {**look(folder, "jobs.txt.gz"), "source": ""} == {**look(folder), "source": ""}


def test_a_packed_file_that_is_damaged_is_told(folder: Path) -> None:
    packed = gzip.compress(TEXT.encode())
    for content in (packed[:40], packed[:12] + b"\xff" * 20, b"no gzip"):
        (folder / "jobs.txt.gz").write_bytes(content)
        with pytest.raises(Unavailable, match="cannot be read"):
            look(folder, "jobs.txt.gz")


def test_one_odd_line_costs_no_other(folder: Path) -> None:
    """A number as no Slurm prints it, an instant in the far future, machines that are no list."""
    odd = [
        row("91", 0, 0, 10, 0, AllocTRES="cpu=\N{SUPERSCRIPT TWO}"), row("92", 0, 0, 10, 0, End="9" * 30),
        row("93", 0, 0, 10, 0, "a[1-"), row("94_[1-5:0]", 0, None, None, 1, State="PENDING"),
    ]  # fmt: skip
    (folder / "odd.txt").write_text(TEXT + "\n".join((*odd, "")))
    found = look(folder, "odd.txt")
    assert found["rows"]["n_wrong"] == 2 and found["to_at"] == look(folder)["to_at"]


def test_local_stamps_with_a_zone_are_the_same(folder: Path) -> None:
    from datetime import UTC, datetime

    zone = ZoneInfo("Africa/Casablanca")
    rows = []
    for line in ROWS:
        values = line.split("|", len(FIELDS) - 1)
        for at in (6, 7, 8, 9):
            if values[at].isdigit():
                there = datetime.fromtimestamp(int(values[at]), UTC).astimezone(zone)
                values[at] = there.strftime("%Y-%m-%dT%H:%M:%S")
        rows.append("|".join(values))
    (folder / "local.txt").write_text("\n".join(("|".join(FIELDS), *rows, "")))
    assert {**look(folder, "local.txt", zone=zone), "source": ""} == {**look(folder), "source": ""}
    with pytest.raises(BadInput, match="local time"):
        look(folder, "local.txt")


def test_a_few_wrong_lines_are_left_out_and_told(folder: Path) -> None:
    (folder / "few.txt").write_text(TEXT + row("20", 100, 90, 80, 1) + "\nhalf a li")
    found = look(folder, "few.txt")
    assert found["rows"]["n_wrong"] == 2
    assert found["rows"]["first_wrong"].startswith("line 21: job 20 starts before")
    assert found["energy"] == look(folder)["energy"]


def test_many_wrong_lines_are_refused(folder: Path) -> None:
    (folder / "many.txt").write_text(TEXT + "\n".join(row(str(20 + n), 100, 90, 80, 1) for n in range(30)))
    with pytest.raises(BadInput, match="30 of 49 lines are wrong; line 21"):
        look(folder, "many.txt")


@pytest.mark.parametrize(
    ("text", "kind", "word"),
    [
        ("", BadInput, "empty"),
        ("a,b,c\n1,2,3\n", BadInput, "no output of sacct"),
        ("|".join(FIELDS) + "\n", BadInput, "holds no jobs"),
        ("|".join(name for name in FIELDS if name != "AllocTRES") + "\n", BadInput, "no column AllocTRES"),
    ],
)
def test_files_that_are_none(folder: Path, text: str, kind: type[ParkError], word: str) -> None:
    (folder / "bad.txt").write_text(text)
    with pytest.raises(kind, match=word):
        look(folder, "bad.txt")


def test_no_file_and_no_jobs(folder: Path) -> None:
    with pytest.raises(NotFound, match="no file"):
        look(folder, "none.txt")
    with pytest.raises(BadInput, match="0 days"):
        look(folder, days=0.0)
    (folder / "old.txt").write_text("\n".join(("|".join(FIELDS), row("1", 0, 0, 10, 1))))
    empty = SlurmSource(folder / "old.txt", folder / "nodes.txt", days=1.0)
    observer = module.Observer(ObserveRequest(empty, POWER, 0.0), (), DAY_S - 90_000.0)
    for job in read_jobs(empty, Counts()):
        observer.take(job)
    observer.close()
    with pytest.raises(NotFound, match="No job was waiting or running"):
        observer.report(Counts())


def test_of_very_many_waits_an_even_part_is_asked_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row(str(100 + n), 0, 10 + n % 200, 400, 1, "n1" if n % 2 else "n2") for n in range(400)]
    (folder / "many.txt").write_text("\n".join(("|".join(FIELDS), *rows)))
    whole = look(folder, "many.txt")
    monkeypatch.setattr(module, "KEPT_MAX", 100)
    part = look(folder, "many.txt")
    assert part["assumed"]["kept_frac"] <= 0.25
    assert part["energy"] == whole["energy"]
    waited = [sum(item["wait_h"] for item in found["reasons"]) for found in (whole, part)]
    assert waited[1] == pytest.approx(waited[0], rel=0.4)


def test_quantiles_of_waits_are_right_to_one_per_cent() -> None:
    hist = WaitHist()
    for second in range(1, 10_001):
        hist.add(float(second))
    for level in (0.05, 0.5, 0.95, 0.99):
        assert hist.quantile(level) == pytest.approx(level * 10_000, rel=0.0101, abs=1.0)
    assert hist.told()["mean"] == pytest.approx(5000.5)
    assert WaitHist().quantile(0.5) == 0.0


# Slurm's own commands ---------------------------------------------------------------------------


def _program(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def test_commands_are_asked_as_any_user_with_stamps_in_seconds(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(folder, "sacct", f'echo "$SLURM_TIME_FORMAT $@" > {folder}/asked; cat {folder}/jobs.txt')
    _program(folder, "scontrol", f"cat {folder}/nodes.txt")
    _program(folder, "sacctmgr", f"cat {folder}/events.txt")
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    found = observe(ObserveRequest(SlurmSource(days=1.0), POWER, DAY_S + 86_401.0))
    assert {**found, "source": ""} == {**look(folder), "source": ""}
    asked = (folder / "asked").read_text()
    assert asked.startswith("%s --allusers --allocations --duplicates --noconvert --parsable2 --starttime=now-24hours")
    assert sacct_command(30.0)[-2] == "--starttime=now-720hours"


def test_commands_that_fail_or_are_not_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(Unavailable, match="There is no scontrol here") as missing:
        SlurmSource().machines()
    assert "--from jobs.txt" in missing.value.fix
    _program(folder, "sacct", 'echo "sacct: error: Problem talking to the database" >&2; exit 1')
    with pytest.raises(Unavailable, match=r"sacct fails: sacct: error: Problem talking to the database\."):
        list(SlurmSource().lines())
    assert SlurmSource().outs() == ()  # a cluster that does not tell its events is looked at without them


def test_a_reading_that_is_left_half_way_ends_the_command(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(folder, "sacct", f"echo $$ > {folder}/pid; while :; do echo line; done")
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    lines = SlurmSource().lines()
    assert next(lines) == "line\n"
    lines.close()  # type: ignore[attr-defined]
    assert not Path(f"/proc/{(folder / 'pid').read_text().strip()}").exists()


def test_lines_are_told_as_they_are_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slurm_files, "TOLD_EVERY", 5)
    heard: list[int] = []
    list(read_jobs(SlurmSource(folder / "jobs.txt"), Counts(), heard.append))
    assert heard == [5, 10, 15]
