"""What browsers get is built from its sources before a browser asks for it."""

from __future__ import annotations

import hatch_build
import pytest


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """A tenth of a second where nothing changed."""
    hatch_build.build()
