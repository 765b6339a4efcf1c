"""The answer to "why": place in line, share, promise, estimate, advice."""

from __future__ import annotations

from typing import Any

import pytest

from eureka_park.compute.view import behind
from eureka_park.compute.why import ALL_ADVICE, advice_of, estimate_of, promise_of, why_answer
from eureka_park.control import reasons
from eureka_park.control.codes import ROOM
from eureka_park.foundation.units import iso_from_s

NOW_S = 1_795_348_800.0
OVER, UNDER = {"used_frac": 0.42, "due_frac": 0.25}, {"used_frac": 0.1, "due_frac": 0.25}


def shown(**more: Any) -> dict[str, Any]:
    return {"job_id": "job-a", "state": "queued", "project": "solar", "tier": "flex", "deadline_at": None, "nodes": 1,
            **more}  # fmt: skip


def reason(code: str, until: str | None = None, **values: Any) -> dict[str, Any]:
    return {"code": code, "text": "Words.", "values": values, "until": until}


def answer(first: dict[str, Any], n_ahead: int | None = 2, share: Any = None, **more: Any) -> dict[str, Any]:
    return why_answer(shown(**more), [first], [], n_ahead, share, NOW_S)


def test_a_job_in_line_says_who_is_before_it_and_whose_share_is_used_up() -> None:
    found = answer(behind(3, "flex", OVER), 3, OVER)
    assert found["line"] == {"n_ahead": 3} and found["share"] == {"project": "solar", **OVER}
    assert found["reasons"][0]["text"] == (
        "3 flex jobs of its project stand before it. Its project has used 0.42 of the park lately; 0.25 is due to it."
    )
    assert any("counts less from day to day" in text for text in found["advice"])


def test_a_share_that_is_not_used_up_is_no_reason() -> None:
    assert behind(1, "green", UNDER) == behind(1, "green")
    assert behind(0, "flex", UNDER) == {"code": "next", "text": "It is next in its line.", "values": {}, "until": None}
    assert "0.42" in behind(0, "flex", OVER)["text"] and "n_ahead" not in behind(0, "flex", OVER)["values"]
    assert not any("from day to day" in text for text in answer(behind(1, "flex", UNDER), 1, UNDER)["advice"])


def test_a_place_is_named_only_where_one_is_kept() -> None:
    at = iso_from_s(NOW_S + 600)
    assert answer(reason("room", at))["place_at"] == at and answer(reason("reserved", at))["place_at"] == at
    assert answer(reason("clean_power", at))["place_at"] is None
    assert answer(reason("room", at), state="running")["place_at"] is None


@pytest.mark.parametrize("code", ["dependency", "better_hour", "no_plan"])
def test_who_does_not_stand_in_line_has_nobody_before_it(code: str) -> None:
    assert answer(reason(code))["line"] is None
    assert answer(reason("room"))["line"] == {"n_ahead": 2}
    assert answer(reason("room"), None)["line"] is None


def test_a_promise_is_kept_late_or_broken_with_its_cause() -> None:
    at = iso_from_s(NOW_S - 600)
    assert promise_of(reason("room"), [], NOW_S) is None
    kept = promise_of(reason("room", promised_at=iso_from_s(NOW_S + 60)), [], NOW_S)
    assert kept == {"promised_at": iso_from_s(NOW_S + 60), "told_at": None, "late_s": 0.0, "cause": None}
    broken = promise_of(reason("clean_power", promised_at=at), [], NOW_S)
    assert broken == {"promised_at": at, "told_at": None, "late_s": 600.0, "cause": "clean_power"}


def test_a_start_keeps_what_was_promised_before_it() -> None:
    at = iso_from_s(NOW_S - 600)
    lines = [{"what": "queued", "at_s": NOW_S - 900, "reason": None},
             {"what": "starting", "at_s": NOW_S - 300, "reason": reason("room", promised_at=at)}]  # fmt: skip
    found = promise_of(reason("running"), lines, NOW_S)
    assert found == {"promised_at": at, "told_at": None, "late_s": 300.0, "cause": "room"}
    lines[1]["at_s"] = NOW_S - 590
    found = promise_of(reason("running"), lines, NOW_S)
    assert found is not None and found["cause"] is None, "within a minute it is kept"


def promised(at_s: float, start_s: float) -> dict[str, Any]:
    return {"what": "promised", "at_s": at_s, "reason": reason("promised", promised_at=iso_from_s(start_s))}


def test_it_is_told_when_a_start_was_promised() -> None:
    lines = [promised(NOW_S - 900, NOW_S + 60)]
    waits = promise_of(reason("clean_power"), lines, NOW_S)
    assert waits is not None and waits["promised_at"] == iso_from_s(NOW_S + 60)
    assert (waits["told_at"], waits["cause"]) == (iso_from_s(NOW_S - 900), None)
    started = [*lines, {"what": "starting", "at_s": NOW_S + 300, "reason": reason("room")}]
    ran = promise_of(reason("running"), started, NOW_S + 400)
    assert ran is not None and (ran["late_s"], ran["cause"], ran["told_at"]) == (240.0, "room", waits["told_at"])
    again = [*started, promised(NOW_S + 500, NOW_S + 900)]
    paused = promise_of(reason("room"), again, NOW_S + 600)
    assert paused is not None and paused["promised_at"] == iso_from_s(NOW_S + 900)
    assert promise_of(reason("room"), started, NOW_S + 600) == ran, "what it waits for now was not promised yet"


def test_an_estimate_is_told_where_there_is_one() -> None:
    assert estimate_of(reason("behind")) is None
    told = reasons.with_estimate(reasons.reason_from(ROOM, 2, 1, NOW_S, reasons.Facts()), NOW_S, NOW_S + 60).to_json()
    assert estimate_of(told) == {"p50_at": iso_from_s(NOW_S), "p90_at": iso_from_s(NOW_S + 60)}
    assert answer(told, state="running")["estimate"] is None


def test_advice_fits_the_job() -> None:
    gang = advice_of(shown(nodes=3), reason("room"), None)
    single = advice_of(shown(), reason("room"), None)
    assert "--nodes" in gang[0] and "one machine" in single[0]
    assert any("--by" in text for text in advice_of(shown(), reason("clean_power"), None))
    dated = advice_of(shown(deadline_at=iso_from_s(NOW_S)), reason("clean_power"), None)
    assert not any("--by" in text for text in dated)
    assert not any("In tier firm" in text for text in advice_of(shown(tier="firm"), reason("clean_power"), None))
    assert advice_of(shown(), reason("running"), None) == []
    codes = ["room", "reserved", "window", "firm_power", "site_power", "clean_power", "better_hour", "behind",
             "dependency", "no_plan", "no_such_node", "paused_power", "frozen_power", "capped_power", "shrunk_power",
             "reclaimed"]  # fmt: skip
    assert all(advice_of(shown(), reason(code), None) for code in codes)
    assert {text for code in codes for text in advice_of(shown(), reason(code), OVER)} <= set(ALL_ADVICE)
