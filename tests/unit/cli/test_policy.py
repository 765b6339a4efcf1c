"""`park policy`: the policy of a home or a site is shown, checked and changed; a park takes it over when it starts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from click.testing import CliRunner, Result

from eureka_park import bootstrap
from eureka_park.adapters.home import Home
from eureka_park.adapters.home_policy import home_site, note_running
from eureka_park.cli.main import cli
from eureka_park.cli.site import machine_facts
from eureka_park.control.of_site import policy_of
from eureka_park.control.policy import Sky

MINE = """[policy]
sky = "binding"
half_life_s = 86400
[[shares]]
path = "research/vision"
floor_frac = 0.2
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("park") / "home"
    bootstrap.make_home(folder, now_real_s=time.time(), is_bare=True)
    bootstrap.prepare(folder)
    return folder


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    return path


def ask(*words: object) -> Result:
    return CliRunner().invoke(cli, ["policy", *map(str, words)], prog_name="park")


def test_show_is_a_policy_file(home: Path, tmp_path: Path) -> None:
    shown = ask("show", "--home", home)
    assert shown.exit_code == 0 and "half_life_s = 604800\n" in shown.stdout and 'sky = "green"' in shown.stdout
    path = tmp_path / "same.toml"
    path.write_text(shown.stdout)
    assert ask("check", path, "--home", home).output == "same.toml is fine.\nIt changes nothing.\n"
    told = json.loads(ask("show", "--site", "eureka-park", "--json").stdout)
    assert (told["site"], told["from"], told["policy"]["reserve_depth"]) == ("eureka-park", "site", 64)


def test_check_tells_what_would_change(home: Path, mine: Path) -> None:
    said = ask("check", mine, "--home", home).output
    assert said.startswith("mine.toml is fine.\nIt changes 6 fields:\n  policy.sky: green -> binding\n")
    assert "  policy.half_life_s: 604800 -> 86400\n" in said
    assert "  shares[research/vision].floor_frac: not listed -> 0.2\n" in said
    told = json.loads(ask("check", mine, "--home", home, "--json").stdout)
    assert told["is_valid"] is True
    assert {"field": "policy.half_life_s", "now": 604_800.0, "then": 86_400.0} in told["changes"]
    alone = ask("check", mine, "--home", mine.parent / "none")
    assert alone.exit_code == 0 and "no park here to compare it with" in alone.output
    assert json.loads(ask("check", mine, "--home", mine.parent / "none", "--json").stdout)["changes"] is None


def test_a_wrong_file_is_told_whole_and_never_used(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text("[policy]\nscan = 0\nlookahed = 3\n")
    for words in (("check", path), ("use", path, "--home", home)):
        found = ask(*words)
        assert found.exit_code == 1 and found.stdout == ""
        assert "wrong.toml, line 2: policy.scan = 0 is wrong" in found.stderr
        assert (
            "wrong.toml, line 3: policy.lookahed is not a field of the policy file, did you mean lookahead?"
            in found.stderr
        )
    told = ask("check", path, "--json")
    problems = json.loads(told.stdout)["problems"]
    assert told.exit_code == 1 and [problem["field"] for problem in problems] == ["policy.scan", "policy.lookahed"]
    assert not (home / "policy.toml").exists()


def test_a_park_opens_under_the_policy_in_use_until_the_site_s_own_is_asked_for(home: Path, mine: Path) -> None:
    said = ask("use", mine, "--home", home).output
    assert "It changes 6 fields:" in said and said.endswith("It holds when the park starts: park up.\n")
    park = bootstrap.open_park(home)
    park.close()
    policy = policy_of(park.site, frozenset())
    assert (park.sky, policy.sky, policy.half_life_s) == ("binding", Sky.BINDING, 86_400.0)
    assert [share.path for share in park.site.shares] == ["research/vision"]
    assert json.loads(ask("show", "--home", home, "--json").stdout)["from"] == "policy.toml"
    assert "It changes nothing." in ask("use", mine, "--home", home).output

    mine.write_text("[policy]\nscan = 9\n")
    changes = json.loads(ask("use", mine, "--home", home, "--json").stdout)["changes"]
    assert {"field": "policy.half_life_s", "now": 86_400.0, "then": 604_800.0} in changes, "left out: the site's own"
    (home / "policy.toml").write_text("[polcy]")
    assert "It changes nothing." in ask("use", "--site-default", "--home", home).output, (
        "a spoilt file can be taken away"
    )
    assert ask("use", "--site-default", "--home", home).output == (
        "There was no policy file: the site's own policy holds.\n"
    )
    park = bootstrap.open_park(home)
    park.close()
    assert park.sky == "green" and policy_of(park.site, frozenset()).scan == 64


def test_a_running_park_is_told_to_be_started_anew(home: Path, mine: Path) -> None:
    house = Home(home)
    note_running(house, home_site(house, machine_facts()))
    let_go = house.lock()
    try:
        assert json.loads(ask("show", "--home", home, "--json").stdout)["from_next_start"] is False
        said = ask("use", mine, "--home", home).output
        assert said.endswith("It holds from the next start on: park down, then park up.\n")
        assert "the running park decides by another one until its next start" in ask("show", "--home", home).stderr
        assert json.loads(ask("use", "--site-default", "--home", home, "--json").stdout)["is_running"] is True
    finally:
        let_go()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("use",), "name a policy file, or give --site-default"),
        (("use", "a.toml", "--site-default"), "name a policy file, or give --site-default"),
        (("show", "--site", "bench", "--home", "x"), "give one of --site and --home"),
        (("show", "--home", "nowhere"), "There is no park in"),
        (("use", "--site-default", "--home", "nowhere"), "There is no park in"),
        (("show", "--site", "atlantis"), "There is no site 'atlantis'"),
        (
            ("check", "none.toml"),
            "There is no policy file 'none.toml'. Write one to start from: park policy show > mine.toml",
        ),
    ],
)
def test_wrong_words(words: tuple[str, ...], says: str) -> None:
    found = ask(*words)
    assert found.exit_code != 0 and says in found.output


def test_in_french(
    program: Callable[..., CompletedProcess[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARK_LANG", "fr")
    path = tmp_path / "mine.toml"
    path.write_text("[policy]\nlookahed = 3\n")
    said = program("policy", "check", str(path)).stderr
    assert "n'est pas un champ du fichier de politique" in said.replace("’", "'") and "lookahead" in said
