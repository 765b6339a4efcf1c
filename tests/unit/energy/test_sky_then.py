"""Who carries the work, until when, who comes then: by hand, and against a plain search."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.energy.core.sky_then import CARRIERS, SkyThen, sky_then

H = 3600.0
DAY = {
    "wind": [5.0, 5, 5, 5],
    "pv": [0.0, 10, 10, 0],
    "csp": [0.0, 20, 20, 0],
    "salt": [0.0, 0, 0, 40],
    "grid": [9.0, 0, 0, 0],
}
LOAD = [14.0, 35.0, 35.0, 60.0]


def test_panels_and_mirrors_are_one_sun_until_the_salt_comes() -> None:
    assert sky_then(DAY, LOAD, 0.0, H, 1.5 * H) == SkyThen("sun", 30 / 35, 3 * H, "salt", 40 / 60)


def test_the_grid_leads_before_dawn() -> None:
    then = sky_then(DAY, LOAD, 0.0, H, 10.0)
    assert (then.carrier, then.until_s, then.then) == ("grid", H, "sun")
    assert then.share_frac == pytest.approx(9 / 14)


def test_what_does_not_end_within_the_plan_has_no_end() -> None:
    assert sky_then(DAY, LOAD, 0.0, H, 3.2 * H) == SkyThen("salt", 40 / 60, None, "salt", 40 / 60)


@pytest.mark.parametrize(("now_s", "carrier"), [(-99 * H, "grid"), (99 * H, "salt")])
def test_outside_the_plan_its_nearest_end_counts(now_s: float, carrier: str) -> None:
    assert sky_then(DAY, LOAD, 0.0, H, now_s).carrier == carrier


@pytest.mark.parametrize("kinds", [{}, {"wind": [0.0]}])
def test_where_nothing_gives_power_the_grid_carries_nothing(kinds: dict[str, list[float]]) -> None:
    assert sky_then(kinds, [5.0], 0.0, H, 0.0) == SkyThen("grid", 0.0, None, "grid", 0.0)


def test_more_clean_power_than_load_is_shared_by_what_is_there() -> None:
    assert sky_then({"wind": [60.0], "pv": [40.0]}, [10.0], 0.0, H, 0.0).share_frac == pytest.approx(0.6)


@given(st.data(), st.integers(1, 30))
def test_until_is_the_first_change_of_leader(data: st.DataObject, n: int) -> None:
    series = st.lists(st.floats(0, 400), min_size=n, max_size=n)
    kinds = {kind: data.draw(series) for kind in data.draw(st.sets(st.sampled_from(sorted(CARRIERS)), min_size=1))}
    load, now = data.draw(series), data.draw(st.integers(0, n - 1))
    then = sky_then(kinds, load, 100.0, 900.0, 100.0 + 900.0 * now)
    leaders = [sky_then(kinds, load, 100.0, 900.0, 100.0 + 900.0 * at).carrier for at in range(n)]
    changes = [at for at in range(now + 1, n) if leaders[at] != leaders[now]]
    assert then.carrier == leaders[now]
    assert then.until_s == (100.0 + 900.0 * changes[0] if changes else None)
    assert then.then == (leaders[changes[0]] if changes else leaders[now])
    assert 0 <= then.share_frac <= 1 and 0 <= then.then_frac <= 1
