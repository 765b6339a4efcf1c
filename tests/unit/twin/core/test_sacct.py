"""Lines of sacct: ids, states, instants, limits and resources as Slurm prints them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.zones import ZoneInfo
from eureka_park.twin.core.sacct import (
    FIELDS,
    Header,
    SlurmJob,
    Tres,
    duration_s,
    job_of,
    limit_s_of,
    memory_mib,
    n_tasks_of,
    stamp_s,
    state_of,
    tres_of,
)

HEADER = Header("|".join(FIELDS))
PLAIN = {
    "JobID": "7", "User": "amal", "Account": "physics", "Partition": "gpu", "QOS": "normal", "State": "COMPLETED",
    "Submit": "1795650969", "Eligible": "1795650972", "Start": "1795651000", "End": "1795651600", "ElapsedRaw": "600",
    "Timelimit": "1-00:00:00", "NNodes": "1", "AllocCPUS": "4", "ReqCPUS": "4", "ReqMem": "4G",
    "ReqTRES": "billing=4,cpu=4,gres/gpu=2,mem=4G,node=1",
    "AllocTRES": "billing=4,cpu=4,gres/gpu:h100=2,gres/gpu=2,mem=4G,node=1", "Reason": "None",
    "ConsumedEnergyRaw": "", "NodeList": "node1", "JobName": "train",
}  # fmt: skip


def line(**changed: str) -> str:
    return "|".join({**PLAIN, **changed}[name] for name in FIELDS) + "\n"


def job(**changed: str) -> SlurmJob:
    found = job_of(HEADER, line(**changed))
    assert found is not None
    return found


def test_a_job() -> None:
    one = job()
    assert (one.user, one.account, one.state, one.n_nodes, one.n_cpus, one.n_gpus) == (
        "amal", "physics", "COMPLETED", 1, 4, 2,
    )  # fmt: skip
    assert (one.gpu_type, one.asked_type, one.mem_mib) == ("h100", "", 4096.0)
    assert (one.submit_s, one.eligible_s, one.start_s, one.end_s) == (
        1795650969.0, 1795650972.0, 1795651000.0, 1795651600.0,
    )  # fmt: skip
    assert (one.elapsed_s, one.limit_s, one.has_started) == (600.0, 86_400.0, True)


@pytest.mark.parametrize("job_id", ["7.batch", "7.0", "7_3.extern", "7+1.0"])
def test_steps_are_skipped(job_id: str) -> None:
    assert job_of(HEADER, line(JobID=job_id)) is None


@pytest.mark.parametrize(
    ("job_id", "n"),
    [
        ("7", 1), ("7_3", 1), ("7+1", 1), ("7_[0-3]", 4), ("7_[0-3%2]", 4), ("7_[1,5,7-9]", 5), ("7_[0-20:4]", 6),
        ("7_[1,2,...]", 2),
    ],
)  # fmt: skip
def test_tasks_that_wait_as_one_row(job_id: str, n: int) -> None:
    assert n_tasks_of(job_id) == n
    assert job(JobID=job_id, State="PENDING", Start="Unknown", End="Unknown").n_tasks == n


def test_a_name_with_bars_costs_nothing() -> None:
    assert job(JobName="a|b||c").name == "a|b||c"
    trailing = Header("|".join(FIELDS) + "|")
    found = job_of(trailing, line(JobName="a|b").rstrip("\n") + "|\n")
    assert found is not None
    assert found.name == "a|b"


def test_a_cancelled_job_that_never_ran_has_no_start() -> None:
    one = job(State="CANCELLED by 1000", NodeList="None assigned", AllocTRES="", ElapsedRaw="0")
    assert (one.state, one.has_started, one.elapsed_s, one.n_gpus) == ("CANCELLED", False, 0.0, 2)
    assert one.end_s == 1795651600.0


def test_running_and_waiting_jobs_have_no_end() -> None:
    assert math.isnan(job(State="RUNNING", End="Unknown").end_s)
    one = job(State="PENDING", Start="Unknown", End="Unknown", AllocTRES="", Timelimit="Partition_Limit")
    assert math.isnan(one.start_s)
    assert math.isnan(one.end_s)
    assert math.isnan(one.limit_s)


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"Start": "1795650000"}, "starts before it was submitted"),
        ({"End": "1795650999"}, "ends before it begins"),
        ({"Submit": "Unknown"}, "no time of submission"),
        ({"JobID": "seven"}, "no id of a job"),
        ({"Submit": "yesterday"}, "is no time"),
    ],
)
def test_rows_that_contradict_themselves(changed: dict[str, str], word: str) -> None:
    with pytest.raises(BadInput, match=word) as error:
        job_of(HEADER, line(**changed))
    assert error.value.code == "bad_row"


def test_a_row_that_is_cut_off() -> None:
    with pytest.raises(BadInput, match="5 values, not") as error:
        job_of(HEADER, "7|amal|physics|gpu|normal")
    assert error.value.code == "bad_row"


def test_columns_that_are_missing_are_named() -> None:
    with pytest.raises(BadInput, match="no column AllocTRES") as error:
        Header("JobID|State|Submit|Start|End")
    assert "--commands" in error.value.fix
    with pytest.raises(BadInput, match="no output of sacct"):
        Header("submit_s,run_s,gpus")


def test_few_columns_in_another_order_are_enough() -> None:
    header = Header("End|Start|Submit|State|AllocTRES|JobID")
    found = job_of(header, "200|100|50|TIMEOUT|cpu=2,mem=512M,node=2,gres/gpu=3|9")
    assert found is not None
    assert (found.n_nodes, found.n_cpus, found.mem_mib, found.n_gpus, found.elapsed_s) == (2, 2, 512.0, 3, 100.0)
    assert math.isnan(found.eligible_s)


# Instants and durations -------------------------------------------------------------------------


def test_stamps() -> None:
    paris = ZoneInfo("Europe/Paris")
    assert stamp_s("1795650969", None) == 1795650969.0
    assert stamp_s("2026-07-01T12:00:05", paris) == stamp_s("2026-07-01T12:00:05+02:00", None) == 1782900005.0
    assert math.isnan(stamp_s("Unknown", None))
    assert math.isnan(stamp_s("0", None))


@pytest.mark.parametrize(("text", "word"), [("2026-10-25T02:30:00", "twice"), ("2026-03-29T02:30:00", "never")])
def test_stamps_that_a_clock_shows_twice_or_never_are_refused(text: str, word: str) -> None:
    with pytest.raises(BadInput, match=word) as error:
        stamp_s(text, ZoneInfo("Europe/Paris"))
    assert error.value.code == "ambiguous_time"
    assert "SLURM_TIME_FORMAT=%s" in error.value.fix
    stamp_s(text, ZoneInfo("Africa/Lagos"))  # a clock that is never changed


def test_local_stamps_without_a_zone_are_refused() -> None:
    with pytest.raises(BadInput, match="local time") as error:
        job_of(HEADER, line(Submit="2026-07-01T12:00:00"))
    assert error.value.code == "local_time"
    assert "--timezone" in error.value.fix


@given(
    st.integers(1_000_000_000, 2_000_000_000), st.sampled_from(["Europe/Paris", "Africa/Casablanca", "Asia/Kolkata"])
)
def test_local_stamps_are_what_the_zone_shows_or_are_refused(instant_s: int, zone: str) -> None:
    there = ZoneInfo(zone)
    local = datetime.fromtimestamp(instant_s, UTC).astimezone(there)
    try:
        found = stamp_s(local.strftime("%Y-%m-%dT%H:%M:%S"), there)
    except BadInput:
        beside = {(local + timedelta(hours=h)).astimezone(UTC).astimezone(there).utcoffset() for h in (-3, 3)}
        assert len(beside) == 2  # only where the clock is changed
    else:
        assert found == instant_s


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("UNLIMITED", math.inf), ("10", 600.0), ("05:00", 300.0), ("02:00:00", 7200.0), ("1-02:03:04", 93_784.0),
        ("1-02", 93_600.0), ("2-00:30", 174_600.0),
    ],
)  # fmt: skip
def test_time_limits(text: str, seconds: float) -> None:
    assert limit_s_of(text) == seconds


@pytest.mark.parametrize("text", ["Partition_Limit", "INVALID", "", "-", "1:2:3:4", "x-01:00:00"])
def test_time_limits_that_are_none(text: str) -> None:
    assert math.isnan(limit_s_of(text))


@given(st.integers(0, 40), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_durations_read_back(days: int, hours: int, minutes: int, seconds: int) -> None:
    text = (f"{days}-" if days else "") + f"{hours:02d}:{minutes:02d}:{seconds:02d}"
    assert duration_s(text) == days * 86_400 + hours * 3600 + minutes * 60 + seconds


# Resources --------------------------------------------------------------------------------------


def test_tres() -> None:
    assert tres_of("billing=9,cpu=8,energy=12,gres/gpu:A100=1,gres/gpu:v100=3,gres/gpu=4,mem=62.50G,node=2") == Tres(
        2, 8, 64_000.0, 4, "v100"
    )
    assert tres_of("cpu=1,gres/gpu:a100=2").n_gpus == 2
    assert tres_of("cpu=1,gres/shard=3").n_shards == 3
    assert tres_of("") == Tres()


@pytest.mark.parametrize(
    ("text", "mib"),
    [
        ("4G", 4096.0), ("62.50G", 64_000.0), ("2Gc", 8192.0), ("1000Mn", 2000.0), ("500M", 500.0), ("1T", 1024.0**2),
        ("2048K", 2.0), ("?", 0.0), ("", 0.0),
    ],
)  # fmt: skip
def test_memory(text: str, mib: float) -> None:
    assert memory_mib(text, n_nodes=2, n_cpus=4) == mib


def test_memory_of_old_records_comes_from_what_was_asked_for() -> None:
    one = job(AllocTRES="cpu=4,node=2", ReqTRES="", ReqMem="1Gc")
    assert one.mem_mib == 4096.0


@pytest.mark.parametrize(
    ("text", "state"),
    [("CANCELLED by 1000", "CANCELLED"), ("CANCELLED+", "CANCELLED"), ("TIMEOUT", "TIMEOUT"), ("", "")],
)
def test_states(text: str, state: str) -> None:
    assert state_of(text) == state


@pytest.mark.parametrize("text", ["\N{SUPERSCRIPT TWO}", "9" * 5000, "-1", "1e9"])
def test_numbers_that_slurm_never_prints_are_none(text: str) -> None:
    """They harm no other line: the one they stand in is wrong, or what they tell is not known."""
    for name in FIELDS:
        try:
            job(**{name: text})
        except BadInput as error:
            assert error.code == "bad_row"
    assert (job(AllocTRES=f"cpu={text}").n_cpus, job(ReqTRES="", AllocTRES=f"mem={text}", ReqMem=text).mem_mib) == (
        4,
        0,
    )
    try:
        assert job(JobID=f"7_[{text}-{text}]").n_tasks >= 1
    except BadInput as error:
        assert error.code == "bad_row"


def test_an_array_with_a_step_of_nothing_is_counted_one_by_one() -> None:
    assert job(JobID="7_[1-5:0]").n_tasks == 5


def test_what_slurm_did_not_measure_is_nothing() -> None:
    assert job(ConsumedEnergyRaw="18446744073709551614").energy_j == 0.0
    assert job(ConsumedEnergyRaw="7200").energy_j == 7200.0
