"""`park why`: the reason, its numbers, the promise, the estimate, and what would change it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.cli.conftest import Run
from tests.unit.client.small_park import JOB, SmallPark

from eureka_park.cli import errors, reasons, words
from eureka_park.cli.locales import make
from eureka_park.compute.why import ALL_ADVICE
from eureka_park.control import codes
from eureka_park.control.reasons import Closed, Facts, Room, reason_from
from eureka_park.web.pages.job_why import ADVICE as PAGE_ADVICE
from eureka_park.web.pages.job_why import CAUSES as PAGE_CAUSES

ROOM = {"code": "room", "text": "It needs 3 whole free nodes; 2 are free.", "values": {"nodes": 3, "free_nodes": 2},
        "until": "2026-11-22T14:05:00Z"}  # fmt: skip
WHY: dict[str, Any] = {
    "line": {"n_ahead": 2},
    "share": {"project": "solar", "used_frac": 0.42, "due_frac": 0.25},
    "place_at": ROOM["until"],
    "promise": {"promised_at": "2026-11-22T13:00:00Z", "late_s": 3900.0, "cause": "room"},
    "estimate": {"p50_at": "2026-11-22T14:05:00Z", "p90_at": "2026-11-22T16:00:00Z"},
    "advice": ["Ask for fewer machines (--nodes or --gpus)."],
}


def test_everything_that_stands_behind_a_reason_is_told(small: SmallPark, run: Run) -> None:
    small.add(reasons=[ROOM], why=WHY)
    assert run("why", JOB).stdout == (
        "It needs 3 whole free nodes; 2 are free. (its place is kept from 2026-11-22 14:05 UTC on)\n"
        "  2 jobs stand before it in its line.\n"
        "  Project solar has used 0.42 of the park lately; 0.25 is due to it.\n"
        "  A start at 2026-11-22 13:00 UTC was promised to it; it is 1 h 05 min late: no node was free.\n"
        "  It should start by 2026-11-22 14:05 UTC, in nine cases of ten by 2026-11-22 16:00 UTC.\n"
        "What would change it:\n"
        "  - Ask for fewer machines (--nodes or --gpus).\n"
    )
    assert json.loads(run("why", JOB, "--json").stdout)["promise"] == WHY["promise"]


def test_what_the_reason_says_is_not_said_again(small: SmallPark, run: Run) -> None:
    values = {"n_ahead": 2, "used_frac": 0.42, "due_frac": 0.25, "start_p50": "2026-11-22T14:05:00Z",
              "start_p90": "2026-11-22T16:00:00Z"}  # fmt: skip
    behind = {"code": "behind", "text": "2 flex jobs of its project stand before it.", "values": values, "until": None}
    kept = {**WHY["promise"], "late_s": 0.0, "cause": None}
    small.add(reasons=[behind], why={**WHY, "promise": kept, "advice": []})
    page = run("why", JOB).stdout
    assert page == (
        "2 flex jobs of its project stand before it. "
        "(it should start by 2026-11-22 14:05 UTC, in nine cases of ten by 2026-11-22 16:00 UTC)\n"
        "  A start at 2026-11-22 13:00 UTC was promised to it.\n"
    )
    assert "it should start by 2026-11-22 14:05 UTC" in run("jobs").stdout.replace("\n", " ")
    small.add("job-first", reasons=[ROOM], why={"line": {"n_ahead": 0}})
    assert "No other job stands before it in its line." in run("why", "job-first").stdout


def test_command_and_page_know_all_advice_and_the_same_causes() -> None:
    assert set(reasons.ADVICE) == set(ALL_ADVICE) == set(PAGE_ADVICE)
    from eureka_park.cli.why import _CAUSES

    assert _CAUSES.keys() == PAGE_CAUSES.keys()


@pytest.fixture
def french(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    make.compile_to(tmp_path / "locales", "fr")
    monkeypatch.setattr(words, "FOLDER", tmp_path / "locales")
    monkeypatch.setenv("PARK_LANG", "fr")
    words._catalogue.cache_clear()
    yield
    words._catalogue.cache_clear()


FACTS = (
    Facts(asks=Room(2, 8.0, 2**30), free=Room(1, 4.0, 2**30), share="health", latest_s=9e4, is_salt_empty=True),
    Facts(is_gang=True, kept_kw=1e9),
    Facts(is_all_down=True),
    Facts(closed=Closed(("n1", "n2"), 0.0, 3600.0, "genomes")),
    Facts(closed=Closed(("n1",), 0.0, 3600.0), asks=Room(0, 8.0, 2**30)),
)


@pytest.mark.parametrize("code", [value for name, value in vars(codes).items() if name.isupper() and value >= 1])
def test_every_reason_of_the_kernels_is_french(french: None, code: int) -> None:
    try:  # b of a cap is a fraction, of a shrunk gang nodes
        texts = {
            reason_from(code, a, b, 0.0, facts).text for facts in FACTS for a, b in ((3.0, 2.0), (2.0, 1.0), (2.0, 0.0))
        }
    except KeyError:
        pytest.skip("a code of an action alone")
    for text in texts:
        assert errors.sentence(text) != text, text
        assert not {"needs", "stays", "salt", "keeps"} & set(errors.sentence(text).split()), text
