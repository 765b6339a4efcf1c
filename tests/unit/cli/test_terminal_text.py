"""Colours pass to a terminal, orders do not, wherever the text is cut."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.cli.terminal_text import TerminalText

PARTS = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from(
            [
                "\x1b[31m", "\x1b[0m", "\x1b]0;title\x07", "\x1b]52;c;aGk=\x1b\\", "\x1b[2J", "\x1bc", "\x1b", "\x9b2J",
                "\x1b[1;", "\x1bP1$",
            ]
        ),
    ),
    max_size=12,
).map("".join)  # fmt: skip


def shown(*pieces: str) -> str:
    text = TerminalText()
    return "".join(text.take(piece) for piece in pieces)


@pytest.mark.parametrize(
    ("text", "is_shown"),
    [
        ("plain\tand\r\nlines", "plain\tand\r\nlines"),
        ("\x1b[1;32mgreen\x1b[0m", "\x1b[1;32mgreen\x1b[0m"),
        ("a\x1b]0;your shell\x07b", "ab"),
        ("a\x1b]52;c;cm0gLXJm\x1b\\b", "ab"),
        ("a\x1b[2J\x1b[1;1Hb\x1bcc", "abc"),
        ("a\x9b31mb\x07\x08c", "a31mbc"),
        ("سطر é 日本", "سطر é 日本"),
        ("before\x1b]0;never ends", "before"),
    ],
)
def test_what_is_let_through(text: str, is_shown: str) -> None:
    assert shown(text) == is_shown


@given(PARTS)
def test_no_order_reaches_the_terminal(text: str) -> None:
    rest = re.sub(r"\x1b\[[0-9;:]*m", "", shown(text))
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", rest)


@given(PARTS, st.lists(st.integers(0, 120), max_size=6))
def test_where_it_is_cut_does_not_matter(text: str, cuts: list[int]) -> None:
    at = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    assert shown(*(text[begin:end] for begin, end in pairwise(at))) == shown(text)


def test_an_endless_string_is_not_kept_in_memory() -> None:
    text = TerminalText()
    assert all(text.take(piece) == "" for piece in ["\x1b]0;", *["x" * 1000] * 50])
    assert len(text._held) <= 4096 and text.take("\x07after") == "after"
