"""For any bytes a reader answers with a reading or with one line; a repair touches nothing but what it must."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers import weather_forms as forms

from eureka_park.energy.core.readers.park_csv import FIRST_KEY, read_park_csv
from eureka_park.energy.core.readers.plain_csv import Mapped
from eureka_park.energy.core.readers.recognise import FORMATS, read, recognised
from eureka_park.energy.core.weather_fill import FillRule, filled
from eureka_park.energy.core.weather_hours import hours_text, runs_of
from eureka_park.foundation.errors import BadInput

ROWS = list(forms.sky(datetime(2021, 6, 1, tzinfo=UTC), 6))
TEXTS = [
    forms.epw(ROWS), forms.sam_csv(ROWS), forms.tmy3(ROWS), forms.pvgis_tmy_json(ROWS), forms.pvgis_tmy_csv(ROWS),
    forms.pvgis_hourly_csv(ROWS), forms.pvgis_hourly_json(ROWS), forms.ninja(ROWS), forms.plain(ROWS),
]  # fmt: skip
HOW = Mapped({"ghi_w_per_m2": ("GHI", ""), "temp_c": ("T [K]", "K")}, "When")


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A good file with a piece of it cut out, doubled or overwritten."""
    text = draw(st.sampled_from(TEXTS))
    first = draw(st.integers(0, len(text)))
    last = min(len(text), first + draw(st.integers(0, 60)))
    new = draw(st.one_of(st.just(""), st.just(text[first:last] * 2), st.text(max_size=12)))
    return text[:first] + new + text[last:]


@settings(max_examples=400, deadline=None)
@given(damaged())
def test_a_damaged_file_is_read_or_refused_in_one_line(text: str) -> None:
    for how in (None, HOW):
        try:
            reading = read(text, how=how)
        except BadInput as error:
            assert error.message and error.fix and "\n" not in error.line()
        else:
            assert all(len(values) == len(reading.stamps.wall_s) for values in reading.columns.values())


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300), st.sampled_from(FORMATS))
def test_any_text_in_any_form_is_refused_in_one_line(text: str, form: str) -> None:
    assert recognised(text) in FORMATS
    with pytest.raises(BadInput) as caught:
        read(text, form)
    assert "\n" not in caught.value.line()
    with pytest.raises(BadInput) as caught:
        read_park_csv(f"# {FIRST_KEY}: 1\n" + text)
    assert "\n" not in caught.value.line()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 60))
def test_filling_changes_gaps_alone_and_stays_within_what_was_seen(seed: int, n_gaps: int, longest: int) -> None:
    entropy = np.frombuffer(seed.to_bytes(4, "big") * 16, dtype=np.uint8).astype(int)
    values = 10 + np.sin(np.arange(8760) / 3.8) * (1 + entropy[np.arange(8760) % 64] / 255)
    holed = np.array(values)
    for gap in range(n_gaps):
        first = (seed * 31 + gap * 7919) % 8760
        holed[(first + np.arange(1 + (gap + seed) % longest)) % 8760] = np.nan
    is_missing = np.isnan(holed)
    longest_run = max(last - first for first, last in runs_of(np.concatenate([is_missing, is_missing])))
    repaired = filled(holed, FillRule(long_h=longest_run), "x")
    assert np.array_equal(repaired[~is_missing], values[~is_missing]) and np.isfinite(repaired).all()
    assert holed[~is_missing].min() - 1e-9 <= repaired.min() and repaired.max() <= holed[~is_missing].max() + 1e-9
    assert hours_text(is_missing).count("UTC") == min(3, len(runs_of(is_missing)))
    if longest_run > 3:
        with pytest.raises(BadInput, match="too long to fill"):
            filled(holed, FillRule(long_h=3), "x")
