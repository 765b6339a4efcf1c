"""What one can ask of `park twin run`, and what happens when things go wrong. The loop has its own tests."""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.unit.cli.conftest import Run, one_json
from tests.unit.cli.test_twin import SITE

import eureka_park.twin.run as twin_run
from eureka_park.cli.twin_run import LEFT
from eureka_park.cli.twin_watch import RunWatch
from eureka_park.energy.core.weather import typical_year
from eureka_park.energy.weather_file import write_weather
from eureka_park.foundation.errors import Internal
from eureka_park.foundation.site_reading import load_site
from eureka_park.foundation.units import MIB
from eureka_park.twin import foresight, run_bound
from eureka_park.twin.core import bound_work
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.sky_series import flat_sky
from eureka_park.twin.core.traces import NOTES
from eureka_park.twin.run_files import read_run

SMALL = ("twin", "run", "--site", "small.toml", "--days", "1")
Play = Callable[..., Played]


def played(world: twin_run.World, until_s: float | None = None) -> Played:
    """All work starts when it comes."""
    work, until_s = world.work, until_s if until_s is not None else world.days * 86_400.0
    end_s = np.where(work.submit_s + work.run_s <= until_s, work.submit_s + work.run_s, np.nan)
    pauses = np.zeros(work.n_jobs, dtype=np.int32)
    return Played(work.submit_s, end_s, pauses, work.run_s, until_s, 0, 0.0, "0123456789abcdef99",
                  is_whole=until_s >= world.days * 86_400.0)  # fmt: skip


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("small.toml").write_text(SITE)
    monkeypatch.setattr(twin_run, "_play", lambda world, *_more: played(world))
    for name in {"sky_of", "open_sky"} & set(vars(twin_run)):
        monkeypatch.setattr(twin_run, name, lambda _site, asked, *_: flat_sky(100.0, asked.days, 0.0, asked.start_s))


def jobs_csv(n_jobs: int = 40) -> None:
    rows = "".join(f"{index * 1800},{600 + 60 * index},{1 + index % 2}\n" for index in range(n_jobs))
    Path("jobs.csv").write_text("submit_s,run_s,gpus\n" + rows)


# What one can ask -------------------------------------------------------------------------------


def test_the_load_is_what_was_asked(run: Run) -> None:
    found = one_json(run(*SMALL, "--jobs", "500", "--load", "0.5", "--json"))
    assert found["load_frac"] == pytest.approx(0.5, rel=0.01)  # fewer jobs come less near to it
    assert found["scaled_by"] is None
    assert found["assumptions"]["load_frac"] == {"value": 0.5, "source": "as asked"}


def test_jobs_are_counted_as_people_write_them(run: Run) -> None:
    assert one_json(run(*SMALL, "--jobs", "1e2", "--json"))["jobs"] == 100


def test_plants_follow_the_demand(run: Run) -> None:
    found = one_json(run(*SMALL, "--jobs", "50", "--demand-of-supply", "0.5", "--json"))
    usual = one_json(run(*SMALL, "--jobs", "50", "--json"))
    assert found["demand_of_supply"] == pytest.approx(0.5)
    assert found["requested_mwh"] == pytest.approx(0.5 * found["own_clean_mwh"])
    assert found["requested_mwh"] == pytest.approx(usual["requested_mwh"])
    assert usual["plants_factor"] == 1.0
    assert found["plants_factor"] == pytest.approx(found["own_clean_mwh"] / usual["own_clean_mwh"])


def test_assumptions_have_a_value_and_a_source(run: Run) -> None:
    found = one_json(run(*SMALL, "--jobs", "50", "--json"))["assumptions"]
    wanted = {"load_frac", "tier_frac_of_gpu_h", "deadline_slack_h_median", "checkpoint_frac_of_batch", "projects"}
    wanted |= {"organisations", "tenant_zipf_power", "gpu_power_frac_mean", "node_mtbf_days", "arrivals_burst_cv"}
    assert wanted <= set(found)
    assert all(set(row) == {"value", "source"} and row["source"] for row in found.values())


def test_a_trace_stays_as_it_is_unless_a_load_is_asked(run: Run) -> None:
    jobs_csv()
    trace = ("--trace", "jobs.csv", "--json")
    plain = one_json(run("twin", "run", "--site", "small.toml", *trace))
    assert (plain["jobs"], plain["scaled_by"]) == (40, None)
    more = one_json(run("twin", "run", "--site", "small.toml", *trace, "--load", "0.3"))
    assert more["load_frac"] == pytest.approx(0.3, abs=0.02)
    assert more["scaled_by"]["load_frac_before"] == pytest.approx(plain["load_frac"])
    assert more["scaled_by"]["whole_copies"] == int(0.3 / plain["load_frac"])
    assert more["jobs"] > 40
    less = one_json(run("twin", "run", "--site", "small.toml", *trace, "--load", str(plain["load_frac"] / 2)))
    assert less["scaled_by"]["whole_copies"] == 0
    assert 15 <= less["jobs"] <= 25
    names = set(plain["assumptions"])
    assert "sizes_and_run_times" not in names
    assert "tier_frac_of_gpu_h" in names


def test_jobs_of_a_trace_that_come_after_the_days_are_told(run: Run) -> None:
    jobs_csv()
    done = run(*SMALL, "--days", "0.5", "--trace", "jobs.csv")
    assert "jobs that count otherwise or not: came after these days 16" in done.stdout
    found = one_json(run(*SMALL, "--days", "0.5", "--trace", "jobs.csv", "--json"))
    assert (found["jobs"], found["left_out"]) == (24, {"too_late": 16})
    assert set(found["filled"]).isdisjoint(NOTES) and set(LEFT) == set(NOTES)


def test_a_trace_may_call_its_columns_otherwise(run: Run) -> None:
    Path("other.csv").write_text("when,took,n,user\n0,60,1,x\n60,600,2,y\n")
    found = one_json(
        run(*SMALL, "--trace", "other.csv", "--map", "submit_s=when,run_s=took", "--map", "gpus=n", "--json")
    )
    assert found["jobs"] == 2


def test_the_sky_is_that_of_the_weather_files(run: Run) -> None:
    words = []
    for place in load_site("eureka-park").weather_sites:
        write_weather(f"{place.id}.csv", typical_year(place, 7), place, {})
        words += ["--weather", f"{place.id}={place.id}.csv"]
    of_files = one_json(run(*SMALL, "--jobs", "50", *words, "--json"))
    of_seed_1 = one_json(run(*SMALL, "--jobs", "50", "--json"))
    of_seed_7 = one_json(run(*SMALL, "--jobs", "50", "--seed", "7", "--json"))
    assert of_files["own_clean_mwh"] == pytest.approx(of_seed_7["own_clean_mwh"], rel=1e-3)
    assert abs(of_files["own_clean_mwh"] - of_seed_1["own_clean_mwh"]) > 1e-2 * of_seed_1["own_clean_mwh"]
    assert "seed 7" in of_files["weather"]


def test_a_scenario_takes_plants_out(run: Run) -> None:
    whole = one_json(run(*SMALL, "--jobs", "50", "--json"))
    less = one_json(run(*SMALL, "--jobs", "50", "--scenario", "noor-iii-out", "--json"))
    assert less["scenario"] == "noor-iii-out"
    assert less["own_clean_mwh"] < 0.9 * whole["own_clean_mwh"]


def test_faults_are_told(run: Run) -> None:
    words = "nodes=off,plant:koudia@2h+3h,grid@10h+30m,network:rack-1@5h+1h"
    found = one_json(run(*SMALL, "--jobs", "50", "--faults", words, "--json"))
    assert found["outages"] == [
        {"what": "plant:koudia", "at_s": 7200.0, "back_s": 18_000.0},
        {"what": "grid", "at_s": 36_000.0, "back_s": 37_800.0},
    ]
    assert (found["n_network_outages"], found["n_failures"]) == (1, 8)
    Path("faults.toml").write_text('nodes = 0\n[[outages]]\nwhat = "grid"\nat = "10h"\nlasts = "30m"\n')
    of_file = one_json(run(*SMALL, "--jobs", "50", "--faults", "faults.toml", "--json"))
    assert of_file["outages"] == found["outages"][1:]


def test_a_run_is_kept(run: Run) -> None:
    done = run(*SMALL, "--jobs", "50", "--out", "deep/run", "--json")
    record = read_run(Path("deep/run"))
    assert record.figures["jobs"] == one_json(done)["jobs"] == 50
    assert record.request["seed"] == 1
    assert record.n_sampled == 50
    assert set(record.sample["tier"]) <= {"firm", "flex", "green"}
    assert "the run is kept in deep/run" in done.stderr
    assert run(*SMALL, "--jobs", "60", "--out", "deep/run", "--quiet").stderr == ""
    assert read_run(Path("deep/run")).figures["jobs"] == 60


# What goes wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--jobs", "1e9"], "1,000,000,000 jobs are more than 200,000,000."),
        (["--jobs", "many"], "'many' is not a count."),
        (["--jobs", "nan"], "'nan' is not a count."),
        (["--load", "0"], "--load"),
        (["--demand-of-supply", "nan"], "no number"),
        (["--scenario", "war"], "There is no scenario 'war'. Scenarios: all-plants"),
        (["--faults", "storm"], "'storm' names no fault. Write words such as"),
        (["--faults", "none.toml"], "There is no file 'none.toml'."),
        (["--faults", "plant:sun@1h+1h"], "There is no plant 'sun'. Plants: noor-i"),
        (["--faults", "grid@2d+1h"], "grid stands still only after the run"),
        (["--weather", "small.toml"], "does not say for which place it is. Write PLACE=FILE"),
        (["--weather", "koudia=small.toml"], "No weather is given for ouarzazate."),
        (["--weather", "koudia=small.toml", "--weather", "ouarzazate=small.toml"], "is not a park weather file."),
        (["--map", "run_s=took"], "There is no trace whose columns could be named. Give --trace FILE."),
        (["--trace", "jobs.csv", "--map", "run_s"], "'run_s' does not say what a column is called."),
        (["--trace", "jobs.csv", "--map", "run_s=took"], "jobs.csv has no column 'took'. It has: submit_s"),
        (["--trace", "local.csv"], "local.csv, line 2: submit_s = '2026-03-01 08:00' names no time zone."),
        (["--trace", "back.csv"], "back.csv, line 3: the job: run_s = -5.0 is wrong: more than 0 s."),
        (["--trace", "short.csv"], "short.csv has no column 'gpus'."),
        (["--out", "small.toml"], "is a file, no folder."),
        (["--out", "taken"], "'taken' holds what is no part of a run: notes.txt."),
    ],
)
def test_what_is_wrong_is_one_line_before_anything_is_played(
    run: Run, monkeypatch: pytest.MonkeyPatch, words: list[str], says: str
) -> None:
    jobs_csv()
    Path("local.csv").write_text("submit_s,run_s,gpus\n2026-03-01 08:00,60,1\n")
    Path("back.csv").write_text("submit_s,run_s,gpus\n0,60,1\n5,-5,1\n")
    Path("short.csv").write_text("submit_s,run_s\n0,60\n")
    Path("taken").mkdir()
    Path("taken/notes.txt").touch()
    monkeypatch.setattr(twin_run, "_play", lambda *_all: pytest.fail("played"))
    done = run(*SMALL, *words)
    assert done.exit_code in (1, 2)
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_told_before(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("closed").mkdir(mode=0o500)
    monkeypatch.setattr(twin_run, "_play", lambda *_all: pytest.fail("played"))
    done = run(*SMALL, "--out", "closed/run")
    assert (done.exit_code, len(done.stderr.strip().splitlines())) == (1, 1)


def test_memory_that_will_not_do_is_told_before(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foresight, "_held_bytes", lambda: 0.0)
    monkeypatch.setattr(foresight, "memory_free_bytes", lambda: 300e6)
    monkeypatch.setattr(twin_run, "_play", lambda *_all: pytest.fail("played"))
    done = run(*SMALL, "--jobs", "2e6")
    assert done.exit_code == 1
    assert "most of it for 2,000,000 jobs; 286 MiB are free. Give fewer jobs or days" in done.stderr
    jobs_csv()
    monkeypatch.setattr(foresight, "memory_free_bytes", lambda: 261.0 * MIB)
    done = run(*SMALL, "--trace", "jobs.csv", "--load", "9")
    assert done.exit_code == 1
    assert "261 MiB are free." in done.stderr


def test_a_policy_that_breaks_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_all: object) -> Played:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(twin_run, "_play", broken)
    done = run(*SMALL, "--policy", "edf-surplus", "--out", "kept")
    assert done.exit_code == 1
    assert done.stderr.strip() == (
        "park: Policy edf-surplus broke off: ZeroDivisionError: division by zero. "
        "Run another policy, or report this one with its seed."
    )
    assert done.stdout == ""
    assert not Path("kept").exists()


def test_memory_that_ends_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_much(*_all: object) -> Played:
        raise MemoryError

    monkeypatch.setattr(twin_run, "_play", too_much)
    done = run(*SMALL)
    assert (done.exit_code, done.stderr) == (
        1,
        "park: The run took more memory than there is. Give fewer jobs or days, or a smaller site.\n",
    )


def test_weather_of_another_place_is_told(run: Run) -> None:
    words = []
    for place, other in zip(load_site("eureka-park").weather_sites, ("koudia", "ouarzazate"), strict=True):
        write_weather(f"{place.id}.csv", typical_year(place, 7), place, {})
        words += ["--weather", f"{other}={place.id}.csv"]
    done = run(*SMALL, *words)
    assert done.exit_code == 1
    assert "is the weather of" in done.stderr
    assert "Give it as --weather" in done.stderr


def test_a_disk_that_fills_loses_no_figures_and_no_older_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run(*SMALL, "--jobs", "50", "--out", "kept")
    before = {path.name: path.read_bytes() for path in Path("kept").iterdir()}

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    done = run(*SMALL, "--jobs", "60", "--out", "kept", "--json")
    assert done.exit_code == 1
    assert one_json(done)["jobs"] == 60
    assert "The run cannot be written into 'kept': No space left on device." in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert {path.name: path.read_bytes() for path in Path("kept").iterdir()} == before


def half_played(world: twin_run.World, _policy: object, _name: str, watch: twin_run.Watch) -> Played:
    watch.told_frac(0.4)
    assert not watch.stopped()
    os.kill(os.getpid(), signal.SIGINT)
    assert watch.stopped()
    return played(world, 0.5 * 86_400.0)


def test_ctrl_c_ends_a_run_early_and_keeps_what_was_played(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twin_run, "_play", half_played)
    done = run(*SMALL, "--jobs", "200", "--out", "kept", "--json")
    assert done.exit_code == 130
    found = one_json(done)
    assert (found["is_whole"], found["days_played"], found["days"]) == (False, 0.5, 1.0)
    assert 0 < found["jobs"] < 200
    assert found["cfe_bound_frac"] is None
    kept = read_run(Path("kept"))
    assert kept.figures["is_whole"] is False
    assert max(float(at_s) for at_s in kept.sample["submit_s"]) <= 0.5 * 86_400.0
    assert "ends here; what was played is kept" in done.stderr
    told = run(*SMALL, "--jobs", "200").stdout
    assert "ended early: 0.50 days were played, and the figures are of these." in told


def test_a_second_ctrl_c_breaks_off(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def twice(world: twin_run.World, _policy: object, _name: str, watch: twin_run.Watch) -> Played:
        half_played(world, _policy, _name, watch)
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("went on")

    monkeypatch.setattr(twin_run, "_play", twice)
    done = run(*SMALL, "--jobs", "200", "--out", "kept")
    assert done.exit_code == 130
    assert done.stdout == ""
    assert not Path("kept").exists()


def metered(world: twin_run.World, *_more: object) -> Played:
    return replace(played(world), totals={"it_kwh": 10.0, "clean_kwh": 4.0})


def test_a_bound_that_fails_loses_no_figures(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_all: object) -> None:
        raise Internal("The bound of clean power found no optimum: Time limit reached.")

    monkeypatch.setattr(twin_run, "_play", metered)
    monkeypatch.setattr(run_bound, "_bound", broken)
    done = run(*SMALL, "--jobs", "200", "--out", "kept", "--json")
    assert done.exit_code == 0
    found = one_json(done)
    assert (found["cfe_bound_frac"], found["jobs"]) == (None, 200)
    assert found["bound_failed"] == "The bound of clean power found no optimum: Time limit reached."
    assert read_run(Path("kept")).figures["bound_failed"] == found["bound_failed"]
    assert (
        "WARNING: what was possible could not be worked out; all else holds. The bound of clean power found"
        in done.stderr
    )


def test_ctrl_c_while_the_bound_is_solved_keeps_what_was_played(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def played_and_told(world: twin_run.World, _policy: object, _name: str, watch: twin_run.Watch) -> Played:
        watch.told_frac(1.0)
        return metered(world)

    def slow(*_all: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("went on")

    monkeypatch.setattr(twin_run, "_play", played_and_told)
    monkeypatch.setattr(run_bound, "_bound", slow)
    done = run(*SMALL, "--jobs", "200", "--out", "kept", "--json")
    assert done.exit_code == 130
    found = one_json(done)
    assert (found["is_whole"], found["bound_failed"]) == (True, run_bound.BOUND_STOPPED)
    assert read_run(Path("kept")).figures["jobs"] == 200


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (MemoryError(), "There was not enough memory."),
        (RuntimeError("no\nbasis."), "RuntimeError: no basis."),
        (ZeroDivisionError(), "ZeroDivisionError."),
        (KeyboardInterrupt(), "It was stopped."),
    ],
)
def test_why_there_is_no_bound_is_a_line(error: BaseException, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_all: object) -> None:
        raise error

    monkeypatch.setattr(run_bound, "_bound", broken)
    found = run_bound.bound_or_why(*([None] * 5))  # type: ignore[arg-type]
    assert found == {**dict.fromkeys(bound_work.FIGURES), "bound_failed": says}


def test_ctrl_c_before_anything_is_played_breaks_off_at_once() -> None:
    before = signal.getsignal(signal.SIGINT)
    with RunWatch(quiet=True) as watch:
        watch.told("work")
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        watch.told("play")
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        assert not watch.stopped()
    assert signal.getsignal(signal.SIGINT) == before


def test_a_watch_beside_the_main_thread_leaves_signals_alone() -> None:
    before, found = signal.getsignal(signal.SIGINT), []

    def beside() -> None:
        with RunWatch(quiet=True):
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=beside)
    thread.start()
    thread.join()
    assert found == [before]


def test_progress_tells_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    watch = RunWatch(quiet=True)
    watch.told("play")
    now[0] = 130.0
    assert watch._play_text(0.25).endswith("running the days, 1 min 30 s left")
    now[0] = 101.0
    assert watch._play_text(0.25).endswith("running the days")
