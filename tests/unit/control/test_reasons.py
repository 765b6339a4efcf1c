"""Reasons in words: every code of the kernels, the number that decided it, until when."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.compute.core.board import DOWN, DRAINED, INF, Board
from eureka_park.compute.core.board_setup import ClassRow, claim_slot, new_board
from eureka_park.control import codes
from eureka_park.control.reasons import Closed, Facts, Room, Teller, reason_from, with_estimate
from eureka_park.control.supply import Interval, Step, Supply

NOW_S = 1_795_348_800.0  # 2026-11-22T12:00:00Z
HOUR = 3600.0
CODES = {name: value for name, value in vars(codes).items() if name.isupper() and value != codes.NO_REASON}
REASON_CODES = [CODES[name] for name in CODES if name not in
                {"START", "CAP", "PAUSE", "FREEZE", "THAW", "END", "DEFER", "RESIZE"}]  # fmt: skip
SINGLE = Facts(asks=Room(2, 8.0, 32 * 1024**3), free=Room(1, 24.0, 128 * 1024**3), now_s=NOW_S)
GANG = Facts(is_gang=True, now_s=NOW_S)
SHORT = Facts(clean_kw=40.0, kept_kw=0.0, now_s=NOW_S)


def told(code: int, a: float = 0.0, b: float = 0.0, facts: Facts = SINGLE, until_s: float = INF) -> str:
    return reason_from(code, a, b, until_s, facts).text


@pytest.mark.parametrize("code", REASON_CODES)
def test_every_code_of_the_kernels_has_words_without_holes(code: int) -> None:
    for facts in (SINGLE, GANG, Facts(closed=Closed(("n3",), NOW_S, NOW_S + HOUR))):
        reason = reason_from(code, 3.0, 2.0, NOW_S + HOUR, facts)
        assert reason.code and reason.text.endswith((".", ". The salt is empty.")) and "{" not in reason.text
        assert reason.until_s == NOW_S + HOUR
    assert reason_from(code, 3.0, 2.0, INF, SINGLE).until_s is None


def test_an_unknown_code_is_an_error() -> None:
    with pytest.raises(KeyError):
        reason_from(99, 0.0, 0.0, INF, SINGLE)


def test_power_is_named_with_what_is_asked_and_what_is_there() -> None:
    assert told(codes.FIRM_POWER, 12.0, -3.0) == "It needs 12.0 kW of firm power; 0.00 W can be promised now."
    assert told(codes.SITE_POWER, 12.0, 4.5) == "It needs 12.0 kW; plants and grid together leave 4.50 kW now."
    clean = reason_from(codes.CLEAN_POWER, 12.0, 4.5, INF, SINGLE)
    assert clean.text == "It needs 12.0 kW of the park's own sun, wind or salt; 4.50 kW is free now."
    assert (clean.values["need_kw"], clean.values["free_kw"]) == (12.0, 4.5)


def test_a_better_hour_names_both_prices_and_what_the_deadline_leaves() -> None:
    facts = Facts(latest_s=NOW_S + 5 * HOUR, now_s=NOW_S)
    reason = reason_from(codes.BETTER_HOUR, 812.4, 640.1, NOW_S + 2 * HOUR, facts)
    assert reason.text.startswith(
        "It waits for a better hour: 640 MAD/MWh then (carbon priced in), 812 now; its deadline"
    )
    assert reason.text.endswith("leaves 5 h 00 min.") and reason.until_s == NOW_S + 2 * HOUR
    assert reason.values == {"now_mad_per_mwh": 812.4, "then_mad_per_mwh": 640.1}


def test_a_gang_says_how_many_nodes_are_free() -> None:
    texts = [told(codes.ROOM, 3.0, free, GANG) for free in (2.0, 1.0, 0.0)]
    assert texts == [f"It needs 3 whole free nodes; {free} free." for free in ("2 are", "1 is", "none is")]
    assert reason_from(codes.ROOM, 3.0, 2.0, INF, GANG).values == {"nodes": 3, "free_nodes": 2}


def test_a_part_of_a_node_says_what_is_free_on_one() -> None:
    assert told(codes.ROOM, 2.0, 1.0) == "It needs 2 GPU on one node; the most that are free on one: 1."
    cpus = Facts(asks=Room(0, 4.0, 2 * 1024**3), free=Room(0, 1.5, 1024**3))
    assert told(codes.ROOM, 0.0, 0.0, cpus) == (
        "It needs 4 CPU and 2 GiB on one node; the roomiest has 1.5 CPU and 1 GiB free."
    )
    narrow = Facts(asks=Room(1, 64.0, 2 * 1024**3), free=Room(4, 1.5, 1024**3))
    assert "needs 1 GPU, 64 CPU" in told(codes.ROOM, 1.0, 4.0, narrow), "GPUs are there: something else is missing"
    values = reason_from(codes.ROOM, 2.0, 1.0, INF, SINGLE).values
    assert (values["gpus"], values["free_gpus"], values["cpus"], values["free_cpus"]) == (2, 1, 8.0, 24.0)


def test_the_salt_is_kept_or_empty() -> None:
    kept, empty = Facts(kept_kw=100.0), Facts(is_salt_empty=True)
    assert told(codes.PAUSED_FOR_POWER, 31_000.0, 0.0, SHORT).endswith("31.0 MW less than the bound work draws.")
    assert told(codes.CAPPED, 31.0, 0.7, kept).endswith("draws. The plan keeps its salt for dearer hours.")
    reason = reason_from(codes.FROZEN_FOR_POWER, 31.0, 0.0, INF, empty)
    assert reason.text.endswith("draws. The salt is empty.") and reason.values["salt"] == "empty"
    assert "70%" in told(codes.STAYS_CAPPED, 1.0, 0.7) and "stays frozen" in told(codes.STAYS_FROZEN, 1.0, 1.0)
    assert told(codes.RESUMED, 50.0, 1.0).startswith("It goes on:")
    assert told(codes.RESUMED, 50.0, 0.0).startswith("It has its full power again:")


def test_what_was_lent_is_asked_back_by_name() -> None:
    reason = reason_from(codes.RECLAIMED, 2.0, 400.0, INF, Facts(share="health/genomes"))
    assert "health/genomes has lent it the power and asks for it back; 400 kW" in reason.text
    assert reason.values == {"share": "health/genomes", "floor_kw": 400.0}


def test_a_window_names_its_nodes_and_times() -> None:
    closed = Closed(("n3", "n4", "n5", "n6"), NOW_S + HOUR, NOW_S + 2 * HOUR)
    reason = reason_from(codes.ROOM, 2.0, 2.0, INF, Facts(closed=closed))
    assert reason.code == "window" and reason.until_s == NOW_S + 2 * HOUR
    assert reason.text == (
        "It would reach into the maintenance of n3, n4, n5 and 1 more, "
        "from 2026-11-22 13:00 UTC to 2026-11-22 14:00 UTC."
    )
    kept = reason_from(codes.ROOM, 2.0, 2.0, INF, Facts(closed=Closed(("n3",), NOW_S, NOW_S + HOUR, True)))
    assert "the time of n3 that is reserved, from" in kept.text and kept.values["is_reserved"] is True
    assert reason.values["is_reserved"] is False


def test_a_promise_and_an_estimate_travel_with_the_reason() -> None:
    reason = reason_from(codes.RESERVED, 2.0, 3.0, NOW_S + HOUR, Facts(promised_s=NOW_S + HOUR))
    assert reason.text == "There is room, but it is promised to jobs before it."
    assert reason.values["promised_at"] == "2026-11-22T13:00:00.000Z"
    guessed = with_estimate(reason, NOW_S + HOUR, NOW_S + 2 * HOUR)
    assert guessed.values["start_p50"] < guessed.values["start_p90"] and "start_p50" not in reason.values


@given(
    code=st.sampled_from(REASON_CODES),
    a=st.floats(0, 1e9),
    b=st.floats(-1e9, 1e9),
    until_s=st.one_of(st.just(INF), st.floats(NOW_S, NOW_S + 1e6)),
    is_gang=st.booleans(),
)
def test_any_numbers_make_a_sentence(code: int, a: float, b: float, until_s: float, is_gang: bool) -> None:
    reason = reason_from(code, a, b, until_s, Facts(is_gang=is_gang, share="x", now_s=NOW_S))
    assert "nan" not in reason.text and "inf " not in reason.text and "free_kw" not in reason.text
    assert all(not isinstance(value, float) or math.isfinite(value) for value in reason.values.values())
    assert (reason.until_s is None) is (until_s == INF)


# -- from a board ------------------------------------------------------------------------------------------------------


def board(n_nodes: int = 3) -> Board:
    kind = ClassRow(n_nodes, 32_000, 128 * 1024, 4, 0, 3.0, 1.0, 0.4)
    return new_board([kind], [(-1, 1.0, 1.0), (0, 1.0, 0.0), (1, 1.0, 0.0), (0, 1.0, 0.0)])


def waiting(at: Board, code: int, **fields: Any) -> int:
    slot = claim_slot(at)
    given = {"gpus": 2, "mcpu": 8000, "mem_mib": 1024, "time_s": HOUR, "leaf": 2, "reason": code, **fields}
    for name, value in given.items():
        at.jobs[name][slot] = value
    return slot


def teller(at: Board, **more: Any) -> Teller:
    return Teller(at, ("n1", "n2", "n3"), ("", "health", "health/genomes", "solar"), now_s=NOW_S, **more)


def test_a_slot_without_a_reason_has_none() -> None:
    at = board()
    assert teller(at).reason(waiting(at, codes.NO_REASON)) is None


def test_the_roomiest_node_is_one_that_is_up_and_of_its_classes() -> None:
    at = board()
    at.nodes.free_gpus[:] = [1, 3, 2]
    at.nodes.up[1] = DOWN
    slot = waiting(at, codes.ROOM, gpus=4, reason_a=4.0, reason_b=2.0)
    reason = teller(at).reason(slot)
    assert reason is not None and reason.values["free_gpus"] == 2 and reason.values["gpus"] == 4
    at.nodes.up[:] = DRAINED
    none = teller(at).reason(slot)
    assert none is not None and none.values["free_gpus"] == 0
    assert none.text == "Every node that it may run on is drained or down."


def test_a_window_is_named_only_where_it_alone_stands_in_the_way() -> None:
    at = board()
    at.nodes.free_gpus[:] = [4, 1, 1]
    at.nodes.window_from_s[0], at.nodes.window_to_s[0] = NOW_S + 600, NOW_S + 2 * HOUR
    slot = waiting(at, codes.ROOM, reason_a=2.0, reason_b=4.0)
    reason = teller(at).reason(slot)
    assert reason is not None and (reason.code, reason.values["closed"]) == ("window", ["n1"])
    at.nodes.window_owner[0] = 1
    assert teller(at).facts(slot).closed is None, "its own organisation's time"
    at.jobs.leaf[slot] = 3
    closed, kept = teller(at).facts(slot).closed, teller(at).reason(slot)
    assert closed is not None and closed.is_reserved
    assert kept is not None and "health" not in f"{kept.text} {kept.values}", "whose time it is, is not told"
    at.nodes.window_owner[0] = -1
    at.jobs.time_s[slot] = 500.0
    assert teller(at).facts(slot).closed is None, "it would be over before"
    at.jobs.time_s[slot], at.nodes.free_gpus[0] = HOUR, 1
    assert teller(at).facts(slot).closed is None, "there is no room in any case"


def test_a_gang_is_held_by_windows_only_if_without_them_it_would_fit() -> None:
    at = board()
    at.nodes.window_from_s[2], at.nodes.window_to_s[2] = NOW_S + 600, NOW_S + 2 * HOUR
    slot = waiting(at, codes.ROOM, gang=1, n_nodes=3, gpus=4, reason_a=3.0, reason_b=2.0)
    reason = teller(at).reason(slot)
    assert reason is not None and reason.code == "window" and reason.values["closed"] == ["n3"]
    at.nodes.n_jobs[0] = 1
    again = teller(at).reason(slot)
    assert again is not None and (again.code, again.text) == ("room", "It needs 3 whole free nodes; 2 are free.")


def test_the_plan_gives_salt_and_clean_power() -> None:
    at = board()
    at.g.n_sky[0], at.sky.clean_kw[0] = 1, 40.0
    steps = (Step(40.0, 1.0, "noor-i"), Step(90.0, 2.0, "noor-iii"))
    slot = waiting(at, codes.PAUSED_FOR_POWER, reason_a=5.0, reason_until_s=NOW_S + HOUR)
    for salt_frac, kept, words in ((0.5, 90.0, "keeps its salt"), (0.0, 40.0, "The salt is empty")):
        interval = Interval(NOW_S, NOW_S + HOUR, 40.0, 30.0, 10.0, steps if kept > 40 else steps[:1], salt_frac)
        reason = teller(at, supply=Supply((interval,))).reason(slot)
        assert reason is not None and words in reason.text and reason.values["clean_kw"] == 40.0


def test_told_slots_are_those_of_this_turn() -> None:
    at = board()
    slots = [waiting(at, code, reason_a=2.0, reason_b=1.0) for code in (codes.RESERVED, codes.NO_REASON, codes.ROOM)]
    at.told[:3] = np.array(slots)
    at.g.n_told[0] = 3
    assert [(slot, reason.code) for slot, reason in teller(at).told()] == [(slots[0], "reserved"), (slots[2], "room")]
    at.g.n_told[0] = 1
    assert len(teller(at).told()) == 1
