"""The dispatch against the same equations written in linopy; the full year is in benchmarks/dispatch_year.py."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from tests.helpers.dispatch_cases import weeks

from eureka_park.energy.core.dispatch import Battery, dispatch

pytestmark = pytest.mark.skipif(find_spec("linopy") is None, reason="linopy is not installed")

BATTERY = {"battery": Battery(100.0, 400.0, loss_frac=0.001, start_mwh=100.0)}
LOCAL_DAYS = (np.arange(14 * 24) + 5) // 24  # as on a clock that is five hours ahead


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"flex_frac": 0.2, "batteries": BATTERY},
        {"flex_frac": 0.2, "day_of_hour": LOCAL_DAYS, "load_mw": 200.0},
        {"is_cyclic": False, "end_value_mad_per_mwh": 500.0, "batteries": BATTERY},
        {"batteries": BATTERY, "load_mw": 120.0, "salt": {}},  # cheap nights would fill the battery if they could
        {"objective": "least-import", "batteries": BATTERY, "load_mw": 250.0},
        {"import_mw_max": 50.0, "export_mw_max": 20.0, "batteries": BATTERY, "flex_frac": 0.1},
    ],
)
def test_linopy_finds_the_same_cost(changes: dict[str, Any]) -> None:
    from tests.helpers.linopy_dispatch import linopy_objective

    problem = weeks(**changes)
    assert dispatch(problem).objective == pytest.approx(linopy_objective(problem), rel=1e-6)
