"""One-time codes by the vectors of RFC 6238, and what makes one good once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.accounts.core.totp import STEP_S, code_of, link_of, matching_step, shown, step_at

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("at_s", "code"),
    [(59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"),
     (2000000000, "69279037"), (20000000000, "65353130")],
)  # fmt: skip
def test_vectors_of_the_rfc(at_s: float, code: str) -> None:
    assert code_of(SECRET, step_at(at_s), digits=8) == code


@given(st.integers(10, 10**8), st.integers(-3, 3))
def test_a_code_is_good_one_step_around_and_once(step: int, off: int) -> None:
    now_s = step * STEP_S + 7.0
    code = code_of(SECRET, step + off)
    found = matching_step(SECRET, code, now_s, after_step=0)
    if abs(off) <= 1:
        assert found is not None and code_of(SECRET, found) == code
        newest = max(at for at in (step - 1, step, step + 1) if code_of(SECRET, at) == code)
        assert matching_step(SECRET, code, now_s, after_step=newest) is None, "used before"
    elif found is not None:  # another step near may have the same six digits
        assert code_of(SECRET, found) == code
    assert matching_step(SECRET, "", now_s, 0) is None and matching_step(SECRET, "é12345", now_s, 0) is None


def test_what_programs_read() -> None:
    assert shown(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
    link = link_of(SECRET, "mina@uni.example", "Eureka Park")
    assert link.startswith("otpauth://totp/Eureka%20Park:mina%40uni.example?secret=GEZDGNBVGY3TQOJQ")
    assert "issuer=Eureka%20Park" in link
