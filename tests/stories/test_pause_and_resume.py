"""The sky goes, jobs give way; it comes back, they go on: a paused training ends with the same bytes, a frozen job
is never killed. Real engine, real sandbox, real ladder; only the weather is the test's.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.sky_park import FULL_MW, SkyPark

TRAINING = Path(__file__).with_name("training.py")
DIGITS = Path(__file__).parents[2] / "examples" / "digits" / "train.py"
COUNTING = """i=0
until [ -e "$PARK_OUTPUT_DIR/enough" ]; do
  i=$((i+1)); echo tick $i
  j=0; while [ $j -lt 5000 ]; do j=$((j+1)); done
done"""


@pytest.fixture(scope="module")
def one_park(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SkyPark]:
    found = SkyPark(tmp_path_factory.mktemp("park"))
    try:
        yield found
    finally:
        found.close()


@pytest.fixture
def park(one_park: SkyPark) -> Iterator[SkyPark]:
    """The one park under a full sky, and emptied afterwards, so that no test leaves its weather to the next."""
    one_park.sky(FULL_MW)
    yield one_park
    one_park.sky(FULL_MW)
    one_park.clear()


def test_paused_twice_a_training_ends_with_the_same_bytes(park: SkyPark) -> None:
    whole = park.submit(script=TRAINING, checkpoint=True, name="undisturbed")
    assert park.end(whole)["resume_count"] == 0

    parts = park.submit(script=TRAINING, checkpoint=True, name="disturbed")
    for epoch in (3, 12):
        park.says(parts, f"epoch {epoch}\n")
        park.sky(0.0)
        view = park.state(parts, "paused")
        assert view["reasons"][0]["code"] in ("paused_power", "clean_power")
        assert "sun, wind or salt" in view["reasons"][0]["text"] or "sky gives" in view["reasons"][0]["text"]
        park.sky(FULL_MW)
    view = park.end(parts)

    assert (view["state"], view["exit_code"], view["attempt"], view["resume_count"]) == ("finished", 0, 3, 2)
    once = ["starting", "running", "pausing", "paused"]
    assert park.timeline(parts) == ["queued", *once, *once, "starting", "running", "finished"]
    assert park.output(parts, "model.json") == park.output(whole, "model.json")
    epochs = [int(found) for found in re.findall(r"^epoch (\d+)$", park.log(parts), re.MULTILINE)]
    assert epochs == list(range(1, 51)), "no epoch was lost, none was computed twice"
    assert park.log(parts).count("resumed after") == 2
    assert park.timeline(whole) == ["queued", "starting", "running", "finished"]


def test_without_a_checkpoint_it_is_frozen_not_killed(park: SkyPark) -> None:
    job = park.submit(["sh", "-c", COUNTING], cpus=1)
    park.says(job, "tick 3\n")
    park.sky(0.0)
    park.state(job, "frozen")
    park.until(lambda: park.engine.status([(job, 1)])[0].phase == "frozen", "it stands still")
    (before,), ticks = park.engine.usage([(job, 1)]), park.log(job)
    time.sleep(1.0)
    (after,) = park.engine.usage([(job, 1)])
    assert after.cpu_s - before.cpu_s < 0.02
    assert park.log(job) == ticks
    assert park.view(job)["state"] == "frozen"
    assert park.view(job)["reasons"][0]["code"] == "frozen_power"

    park.sky(FULL_MW)
    park.says(job, f"tick {ticks.count('tick') + 1}\n")
    park.output_path(job, "enough").touch()
    view = park.end(job)
    assert (view["state"], view["exit_code"], view["attempt"], view["resume_count"]) == ("finished", 0, 1, 0)
    assert park.timeline(job) == ["queued", "starting", "running", "frozen", "running", "finished"]
    lines = park.log(job).splitlines()
    assert lines == [f"tick {n}" for n in range(1, len(lines) + 1)], "it went on where it stood"


def test_firm_and_flex_run_on_under_a_dark_sky(park: SkyPark) -> None:
    park.sky(0.0)
    green = park.submit(["true"], checkpoint=True)
    others = [park.submit(["sh", "-c", "sleep 0.3"], tier=tier, cpus=0.2) for tier in ("firm", "flex")]
    assert [park.end(job)["state"] for job in others] == ["finished", "finished"]
    assert park.state(green, "queued")["reasons"][0]["code"] == "clean_power"
    park.sky(FULL_MW)
    assert park.end(green)["state"] == "finished"


def test_every_receipt_adds_up(park: SkyPark) -> None:
    assert park.park.ledger.verify() == []


@pytest.mark.sweep
def test_the_digits_example_paused_ends_with_the_same_bytes(park: SkyPark, request: pytest.FixtureRequest) -> None:
    if "sweep" not in request.config.getoption("markexpr"):
        pytest.skip("builds an environment with scikit-learn; ask for it with -m sweep")
    facts = {"script": DIGITS, "checkpoint": True, "args": ["--epochs", "12"], "memory": "2GiB"}
    facts["dependencies"] = ["numpy>=2.0,<3", "scikit-learn>=1.6,<2"]
    whole = park.submit(**facts)  # type: ignore[arg-type]
    view = park.end(whole, wait_s=250.0)
    if "environment" in view["detail"]:
        pytest.skip(f"its environment cannot be built here: {view['detail']}")
    assert view["state"] == "finished", park.log(whole)

    parts = park.submit(**facts)  # type: ignore[arg-type]
    park.says(parts, "epoch   3/", wait_s=100.0)
    park.sky(0.0)
    park.state(parts, "paused")
    park.sky(FULL_MW)
    view = park.end(parts, wait_s=100.0)
    assert (view["state"], view["resume_count"]) == ("finished", 1)
    for name in ("model.npz", "metrics.json"):
        assert park.output(parts, name) == park.output(whole, name)
