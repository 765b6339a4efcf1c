"""`park maintenance`: the notice goes up, ends by itself, and is taken away; pages read it through the park."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from eureka_park import bootstrap
from eureka_park.cli.main import cli
from eureka_park.foundation.clock import SteppedClock


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("park") / "home"
    bootstrap.make_home(folder, now_real_s=time.time(), is_bare=True)
    bootstrap.prepare(folder)
    return folder


def ask(home: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["maintenance", *words, "--home", str(home)], prog_name="park")


def test_on_status_off(home: Path) -> None:
    assert ask(home, "status").output == "No maintenance: people see their pages.\n"
    said = ask(home, "on", "--message", " New\n disks. ", "--until", "2h").output
    assert said.startswith("Maintenance since 20") and said.endswith(": New disks.\n")
    clock = SteppedClock(time.time())
    park = bootstrap.open_park(home, clock)
    try:
        note = park.maintenance()
        assert note is not None
        assert (note["message"], round(note["until_s"] - note["since_s"])) == ("New disks.", 7200)
        told = json.loads(ask(home, "status", "--json").output)
        assert told["on"] is True and told["message"] == "New disks." and told["until"].endswith("Z")
        ask(home, "on", "--message", "Still.")
        again = park.maintenance()
        assert again is not None and again["since_s"] == note["since_s"] and again["until_s"] is None
        ask(home, "on", "--until", "2h")
        clock.step(7205)
        assert park.maintenance() is None, "it ends by itself"
        assert ask(home, "off").output == "The notice is gone.\n"
        assert ask(home, "off").output == "There was no notice.\n"
        assert json.loads(ask(home, "status", "--json").output) == {"on": False}
        (home / "maintenance.json").write_text("{")
        assert park.maintenance() == {"message": "", "since_s": clock.real_s(), "until_s": None}, (
            "better closed than open"
        )
    finally:
        ask(home, "off")
        park.close()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--until", "2020-01-01T00:00:00Z"), "lies in the past"),
        (("--until", "soon"), "neither a duration nor an instant"),
        (("--message", "x" * 501), "501 characters"),
    ],
)
def test_wrong_words_put_up_nothing(home: Path, words: tuple[str, ...], says: str) -> None:
    found = ask(home, "on", *words)
    assert found.exit_code != 0 and says in found.output
    assert not (home / "maintenance.json").exists()


def test_without_a_park_it_says_so(tmp_path: Path) -> None:
    found = ask(tmp_path / "none", "on")
    assert found.exit_code != 0 and "There is no park in" in found.output and not (tmp_path / "none").exists()
