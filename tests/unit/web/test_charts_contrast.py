"""Every text of the pages can be read: contrast measured from the sheet's own tokens, in light and in dark."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.web.charts.contrast import EDGE_PAIRS, TEXT_PAIRS, Pair, contrast, luminance, pairs_of, rgb, tokens_of

SHEET = Path(__file__).resolve().parents[3] / "src/eureka_park/web/styles/park.css"
TOKENS = tokens_of(SHEET.read_text("utf-8"))
COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize("pair", pairs_of(TOKENS), ids=lambda pair: f"{pair.over} on {pair.ground} ({pair.least})")
def test_every_pair_reaches_aa_in_light_and_in_dark(pair: Pair) -> None:
    assert pair.passes, pair


def test_all_pairs_are_of_the_sheet() -> None:
    named = {name for pair in (*TEXT_PAIRS, *EDGE_PAIRS) for name in pair}
    assert named <= TOKENS.keys()
    assert {"wind", "pv", "csp", "salt", "battery", "grid"} <= TOKENS.keys()


def test_yellow_and_grey_never_carry_text() -> None:
    assert not {over for over, _ in TEXT_PAIRS} & {"pv", "grid", "csp"}
    assert contrast(TOKENS["pv"].light, TOKENS["card"].light) < 4.5


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000", "#fff", 21.0), ("#777777", "#ffffff", 4.48), ("#16213A", "#FAF6EF", 14.85),
        ("#5E6678", "#ffffff", 5.76), ("#4B3FD6", "#FFFFFF", 7.04), ("#123456", "#123456", 1.0),
    ],
)  # fmt: skip
def test_ratios_known_from_elsewhere(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)


@given(COLOURS, COLOURS)
def test_a_ratio_is_the_same_both_ways_and_within_its_bounds(one: str, other: str) -> None:
    assert contrast(one, other) == contrast(other, one)
    assert 1 <= contrast(one, other) <= 21
    assert 0 <= luminance(one) <= 1


def test_tokens_are_read_as_written_and_as_built() -> None:
    assert tokens_of(":root{--ink:light-dark(#16213A,#efe8dc);--x:red;--band:light-dark(rgb(1 2 3),#fff)}").keys() == {
        "ink"
    }
    assert rgb("#abc") == rgb("#AABBCC") == (170, 187, 204)
