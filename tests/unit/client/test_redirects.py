"""Where a token for another hub is shown."""

from __future__ import annotations

import urllib.request
from email.message import Message

import pytest

from eureka_park.client.carrying.web import _Redirects


@pytest.mark.parametrize(
    ("to", "is_shown"),
    [("https://hub.test/b", True), ("http://hub.test/b", False), ("https://cdn.test/b", False)],
)
def test_a_token_goes_along_to_its_own_host_alone_and_never_in_clear(to: str, is_shown: bool) -> None:
    asked = urllib.request.Request("https://hub.test/a", headers={"Authorization": "Bearer x"})
    made = _Redirects().redirect_request(asked, None, 302, "", Message(), to)
    assert made is not None and made.has_header("Authorization") == is_shown
