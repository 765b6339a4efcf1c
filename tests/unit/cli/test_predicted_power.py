"""The predicted power of a job in a few words, with what it rests on."""

from __future__ import annotations

from typing import Any

import pytest

from eureka_park.cli.show import power_told


@pytest.mark.parametrize(
    ("basis", "n_jobs", "said"),
    [
        ("table", None, "3.20 kW, by the table of its machines"),
        ("declared", None, "3.20 kW, as declared"),
        ("meter", None, "3.20 kW, by its own meter"),
        ("learned", 1, "3.20 kW, learned from 1 job of its name"),
        ("learned", 12, "3.20 kW, learned from 12 jobs of its name"),
        ("something newer", None, "3.20 kW"),
    ],
)
def test_it_says_what_it_rests_on(basis: str, n_jobs: int | None, said: str) -> None:
    power: Any = {"predicted_kw": 3.2, "from": basis, "n_jobs": n_jobs}
    assert power_told(power) == said


def test_nothing_is_said_where_nobody_knows() -> None:
    assert power_told(None) == ""
