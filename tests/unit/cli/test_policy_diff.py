"""`park policy diff` and `park twin replay` on a recorded day: the real live loop's journal, played again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.helpers.recorded_park import recorded_park

from eureka_park import bootstrap
from eureka_park.cli.main import cli

HOURS = 8.0
FAVOUR = """[[shares]]
path = "physics"
weight = 50
[[shares]]
path = "biology"
weight = 1
[[shares]]
path = "welcome"
weight = 1
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    park = recorded_park(tmp_path_factory.mktemp("lab"), n_jobs=80, hours=HOURS, load=1.3)
    park.park.close()
    return park.folder


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(FAVOUR)
    return path


def ask(*words: object) -> Result:
    return CliRunner().invoke(cli, ["policy", "diff", *map(str, words)], prog_name="park")


def found_by(*words: object) -> dict[str, Any]:
    told = ask(*words, "--json", "-q")
    assert told.exit_code == 0, told.output
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def test_a_project_with_more_weight_waits_shorter_and_the_play_meets_what_was(home: Path, mine: Path) -> None:
    found = found_by(mine, "--on", "last-day", "--home", home)
    assert (found["n_jobs"], found["n_nodes"], found["n_hours_without_plan"]) == (80, 4, 0)
    by_name = {row["project"]: row for row in found["projects"]}
    assert set(by_name) == {"physics", "biology", "welcome"}
    physics = by_name["physics"]
    assert physics["then"]["wait_mean_s"] < physics["now"]["wait_mean_s"]
    assert physics["n_shorter"] > physics["n_longer"]
    assert sum(row["n_jobs"] for row in found["projects"]) == found["total"]["n_jobs"] == 80
    assert found["match"]["n_jobs"] > 60 and found["match"]["p50_abs_s"] < 600.0, found["match"]
    assert 0.0 < found["total"]["now"]["clean_frac"] <= 1.0
    assert {"field": "shares[physics].weight", "now": None, "then": 50.0} in found["changes"]


def test_the_same_policy_changes_nothing(home: Path, tmp_path: Path) -> None:
    same = tmp_path / "same.toml"
    same.write_text(CliRunner().invoke(cli, ["policy", "show", "--home", str(home)]).stdout)
    found = found_by(same, "--on", "last-day", "--home", home)
    assert found["changes"] == [] and found["most_changed"] == []
    assert found["total"]["now"] == found["total"]["then"]


def test_it_is_told_for_people(home: Path, mine: Path) -> None:
    said = ask(mine, "--on", "last-day", "--home", home, "-q").output
    assert "Played 80 jobs of lab, from 2026-11-22 12:00 UTC to 2026-11-22 20:00 UTC; machines: 4." in said
    assert "project" in said and "physics" in said and "Waits that change most:" in said
    assert "from when they really started, on average" in said


def test_it_reads_a_park_that_is_held_and_changes_nothing(home: Path, mine: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(home, copy)
    park = bootstrap.open_park(copy)
    let_go = park.home.lock()
    try:
        before = {path: path.read_bytes() for path in copy.rglob("*.toml")}
        assert found_by(mine, "--home", copy)["n_jobs"] == 80
        assert {path: path.read_bytes() for path in copy.rglob("*.toml")} == before
    finally:
        let_go()
        park.close()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--on", "2026-11-01T00:00:00Z..2026-11-02"), "No job was submitted from 2026-11-01T00:00:00"),
        (("--on", "someday"), "'someday' is no stretch of time. Write last-week, last-day"),
        (("--home", "nowhere"), "There is no park in"),
    ],
)
def test_what_cannot_be_played_is_told(home: Path, mine: Path, words: tuple[str, ...], says: str) -> None:
    told = ask(mine, *(() if "--home" in words else ("--home", home)), *words)
    assert told.exit_code != 0 and says in told.output, told.output


def test_a_wrong_file_is_told_with_its_place(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text("[policy]\nlookahed = 3\n")
    told = ask(path, "--home", home)
    assert told.exit_code == 1 and "wrong.toml, line 2: policy.lookahed is not a field" in told.stderr


def replayed(*words: object) -> Result:
    return CliRunner().invoke(cli, ["twin", "replay", "--from", "journal", *map(str, words)], prog_name="park")


def test_a_journal_is_replayed_under_other_policies(home: Path, mine: Path) -> None:
    told = replayed("--last", "1d", "--home", home, "--policy", f"park,hard-cut,{mine}", "--json")
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert (found["source"], found["site"], found["n_jobs"], found["n_hours_planned_again"]) == (
        "journal",
        "lab",
        80,
        0,
    )
    sides = found["sides"]
    assert list(sides) == ["recorded", "park", "hard-cut", "mine"]
    assert len({side["digest"] for side in sides.values()}) == 4, "each policy decides otherwise"
    assert 0.0 < sides["recorded"]["kwh"] == pytest.approx(sides["park"]["kwh"], rel=0.05), "the same work"
    assert sides["hard-cut"]["wait_s"]["mean"] > sides["park"]["wait_s"]["mean"]
    assert found["match"]["n_jobs"] > 60 and found["match"]["p50_abs_s"] < 600.0
    assert sides["park"]["wait_s"]["p50"] == pytest.approx(sides["recorded"]["wait_s"]["p50"], abs=1800.0)
    assert found["change"]["wait_mean_s"] == sides["park"]["wait_s"]["mean"] - sides["recorded"]["wait_s"]["mean"]


def test_a_replay_of_a_journal_is_told_for_people(home: Path) -> None:
    said = replayed("--home", home).output
    assert "lab, 2026-11-22 12:00 to 2026-11-22 20:00 UTC: 80 jobs of this park played again." in said
    assert "as it was  first come, backfill  this park's policy" in said
    assert "CPU hours free while as many were waited for" in said, "this park has no GPU"
    assert "from when they really started, on average" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--tier", "firm"), "--tier says nothing to a journal. Leave it out."),
        (("--slack", "3"), "--slack says nothing to a journal."),
        (("--policy", "lottery"), "There is no policy 'lottery'."),
        (("--policy", "none.toml"), "none.toml"),
        (("--home", "nowhere"), "There is no park in"),
        (("--last", "soon"), "'soon' is not a duration."),
    ],
)
def test_what_a_journal_cannot_be_replayed_with_is_told(home: Path, words: tuple[str, ...], says: str) -> None:
    told = replayed(*(() if "--home" in words else ("--home", home)), *words)
    assert told.exit_code != 0 and says in told.output, told.output
