"""`park up` where the server's packages are missing: one line that names the install."""

from __future__ import annotations

import pytest

from eureka_park.cli import up
from eureka_park.foundation.errors import Unavailable


def test_light_client_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "find_spec", lambda name: None if name in {"highspy", "fastapi"} else object())
    with pytest.raises(Unavailable, match="highspy, fastapi") as caught:
        up._check_parts()
    assert "pip install 'eureka-park[server]'" in caught.value.fix


def test_the_park_has_all_its_parts() -> None:
    up._check_parts()
