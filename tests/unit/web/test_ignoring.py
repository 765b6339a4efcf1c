"""Lists of ignored files at the hub door: what Git would leave out, in bounded time whatever the list says."""

from __future__ import annotations

import time

import pytest

from eureka_park.foundation.errors import BadInput, TooLarge
from eureka_park.web.doors.hub import ignoring

LIST = r"""
# a comment
*.log
!keep.log
build/
/top
docs/*.txt
**/cache/**
a/**/z
[Bb]in/x?y*z
\#odd
[broken
[!a-c]1
"""
END = "end\\ "  # its space stands
LEFT_OUT = (
    "x.log", "d/x.log", "build/a", "d/build/a/b", "top", "top/a", "docs/a.txt", "cache/a", "d/cache/a/b", "a/z",
    "a/b/c/z", "bin/x1yz", "Bin/x1y11z/a", "#odd", "end ", "d1",
)  # fmt: skip
SENT = (
    "keep.log", "d/keep.log", "build", "d/top", "docs/a/b.txt", "d/docs/a.txt", "cache", "b/z", "bin/xyz", "end", "a1",
    "[broken", "log", "x.logs",
)  # fmt: skip


def test_what_git_leaves_out_is_left_out() -> None:
    ignored = ignoring.given(LIST + END)
    assert [path for path in LEFT_OUT if not ignored.names(path)] == []
    assert [path for path in SENT if ignored.names(path)] == []


def test_no_list_holds_a_process() -> None:
    begin_s = time.process_time()
    assert not ignoring.given("*a" * 127 + "b").names("a" * 255)  # hours, as a regular expression
    for hard in ("*a" * 125 + "?", "a/" * 60 + "?"):
        ignored = ignoring.given("\n".join(f"{hard}{number}" for number in range(500)))
        with pytest.raises(TooLarge):
            for number in range(1000):
                ignored.names(f"{'a' * 200}{number}/" * 4 + "a/" * 60)
    assert time.process_time() - begin_s < 20


def test_a_list_has_bounds_and_a_kept_one_refuses_nobody() -> None:
    many, long = "\n".join(f"f{number}" for number in range(501)), "x" * 257
    for text in (many, long):
        with pytest.raises(BadInput):
            ignoring.given(text)
    kept = ignoring.kept(f"{long}\n{many}")
    assert (kept.names("f499"), kept.names("f500"), kept.names(long)) == (True, False, False)
