"""Passwords that will do, waits, and no way out to another site."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.accounts.core.entrance import WAIT_MAX_S, check_password, safe_next, wait_after_s
from eureka_park.foundation.errors import BadInput

ABOUT = ("Mina Alaoui", "mina.alaoui@uni.example")


@pytest.mark.parametrize(
    "text",
    ["", "short", "elevensigns", "password1234", "P@ssw0rd!2026", "azerty123456", "aaaaaaaaaaaa", "123456789012",
     "abcdefghijkl", "motdepasse2026", "minaalaoui2026", "eurekapark2026!", "x" * 257, "qwertyuiop12"],
)  # fmt: skip
def test_passwords_that_will_not_do(text: str) -> None:
    with pytest.raises(BadInput) as error:
        check_password(text, ABOUT)
    assert error.value.field == "password" and (not text or text not in error.value.message)


@pytest.mark.parametrize(
    "text",
    [
        "tabouret violet orage 7",
        "correct pony salt river",
        "الشمس فوق الملح والريح",
        "Zq8#kd02Lm!vTr",
        "ⵜⴰⴼⵓⴽⵜ ⴷ ⵉⵙⵍⵉ ⵏ",
    ],
)
def test_passwords_that_will(text: str) -> None:
    check_password(text, ABOUT)


@pytest.mark.parametrize("path", ["/", "/jobs", "/jobs/job-1?tab=log#end", "/device?code=ABCD-EFGH"])
def test_pages_of_the_park_are_gone_on_to(path: str) -> None:
    assert safe_next(path) == path


@pytest.mark.parametrize(
    "text",
    ["", "//evil.example", "/\\evil.example", "https://evil.example", "jobs", "/a\nLocation: x", "/é", "\\/evil",
     "/ /evil", "javascript:alert(1)", "/" + "a" * 2000, "/\t/evil.example", "/a\u2028b"],
)  # fmt: skip
def test_nobody_is_sent_elsewhere(text: str) -> None:
    assert safe_next(text) == "/"


@given(st.text(max_size=40))
def test_whatever_is_asked_for_it_stays_here(text: str) -> None:
    found = safe_next(text)
    assert found.startswith("/") and not found.startswith(("//", "/\\")) and found.isprintable() and found.isascii()


def test_waits_grow_and_end() -> None:
    waits = [wait_after_s(n) for n in range(100)]
    assert waits[:5] == [0.0] * 5 and waits[5] == 30.0 and waits == sorted(waits) and waits[-1] == WAIT_MAX_S
