"""`park up` in parts: what is missing, what a home fixes for good, what a paced one says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eureka_park import bootstrap
from eureka_park.adapters.home import Home
from eureka_park.cli import up
from eureka_park.foundation.errors import BadInput, Conflict, Unavailable


def test_light_client_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "find_spec", lambda name: None if name in {"highspy", "fastapi"} else object())
    with pytest.raises(Unavailable, match="highspy, fastapi") as caught:
        up._check_parts()
    assert "pip install 'eureka-park[server]'" in caught.value.fix


def test_the_park_has_all_its_parts() -> None:
    up._check_parts()


ASKED: dict[str, Any] = {"site_name": None, "sky": None, "pace": None, "start": None, "story": False}


@pytest.fixture(scope="module")
def story_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder, now_s = tmp_path_factory.mktemp("story"), 1_795_348_800.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "find_seed", lambda _site, _start_s, otherwise: otherwise)  # which takes seconds
        return bootstrap.make_home(
            folder / "home", now_real_s=now_s, is_story=True, is_bare=True, pace_factor=120.0, start="05:30"
        )


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"pace": 60.0}, "made with --pace 120"),
        ({"start": "06:00"}, "made with --start 05:30"),
        ({"sky": "green"}, "made with --sky binding"),
    ],
)
def test_what_is_fixed_at_creation_is_refused_with_the_fix(story_home: Home, asked: dict[str, Any], says: str) -> None:
    with pytest.raises(Conflict, match=says) as caught:
        up._check_fixed(story_home, {**ASKED, **asked})
    assert "--home" in caught.value.fix


def test_the_same_again_is_no_conflict(story_home: Home) -> None:
    up._check_fixed(story_home, ASKED)
    up._check_fixed(story_home, {**ASKED, "story": True, "start": "05:30", "pace": 120.0, "sky": "binding"})


def test_a_story_needs_a_home_of_its_own(tmp_path: Path) -> None:
    home = bootstrap.make_home(tmp_path / "home", now_real_s=1_795_348_800.0)
    with pytest.raises(Conflict, match="made without --story") as caught:
        up._check_fixed(home, {**ASKED, "story": True})
    assert "name a new home with --home" in caught.value.fix


def test_a_bad_start_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="neither a time of day nor an instant"):
        up._check_fixed(Home(tmp_path / "home"), {**ASKED, "start": "dawn"})
    assert not (tmp_path / "home").exists()


def test_a_paced_home_says_how_its_clock_goes(story_home: Home, tmp_path: Path) -> None:
    first, second = up._about_time(story_home.facts())
    assert "pace 120" in first and "a day takes 12 min" in first
    assert "13 min" in second
    plain = bootstrap.make_home(tmp_path / "plain", now_real_s=1_795_348_800.0).facts()
    assert list(up._about_time(plain)) == []
