"""The largest load for a share: exact years, a closed bracket, the same figures as a fresh solve."""

from __future__ import annotations

import numpy as np
import pytest

from eureka_park.energy.core.largest_load import TOLERANCE_MW, largest_loads
from eureka_park.energy.core.supply import supply_of
from eureka_park.energy.core.year import solve_year
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.site_reading import load_site

PARK = load_site("eureka-park")


def test_a_larger_load_misses_the_share_and_a_smaller_share_carries_more() -> None:
    supply = supply_of(PARK, 1)
    found = largest_loads(supply, [0.9, 0.75])
    for item in found:
        assert item.too_much_mw - item.load_mw <= TOLERANCE_MW
        assert item.year.cfe_frac >= item.cfe_frac - 1e-6
        assert item.to_json()["load_mw"] == item.load_mw and "by_month" not in item.to_json()
    assert found[1].load_mw > found[0].load_mw > 0
    fresh = solve_year(supply, np.full(8760, found[0].load_mw)).answer
    assert fresh.cfe_frac == pytest.approx(found[0].year.cfe_frac, abs=1e-4)


def test_without_plants_nothing_is_carried() -> None:
    supply = supply_of(PARK.model_copy(update={"plants": ()}), 1)
    found = largest_loads(supply, [0.5])[0]
    assert found.load_mw == 0.0 and found.year.cfe_frac == 1.0


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1, float("nan")])
def test_a_share_that_cannot_be_asked_for_is_refused(share: float) -> None:
    with pytest.raises(BadInput, match="cannot be asked for"):
        largest_loads(supply_of(PARK, 1), [share])
