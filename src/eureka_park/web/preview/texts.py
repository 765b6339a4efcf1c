"""Texts of unknown encoding, and their begin as numbered lines."""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

TEXT_BYTES: Final = 256 * 1024
LINES_MAX: Final = 5000
LINE_CHARS_MAX: Final = 2000
_COLOURS: Final = re.compile(r"\x1b\[[0-9;:?]*[ -/]*[@-~]")


@dataclass(frozen=True, slots=True)
class Text:
    """The begin of a text: its lines, in which encoding they were read, whether there is more."""

    lines: tuple[str, ...]
    encoding: str
    is_cut: bool


def read_text(content: bytes, *, is_cut: bool) -> Text:
    """The begin of a text as lines. `is_cut`: the file goes on, so the last line may be a part of one."""
    text, encoding = decoded(content)
    lines = shown(text).split("\n")
    if lines and not lines[-1]:
        lines.pop()
    is_cut = is_cut or len(lines) > LINES_MAX
    return Text(tuple(line[:LINE_CHARS_MAX] for line in lines[:LINES_MAX]), encoding, is_cut)


def decoded(content: bytes) -> tuple[str, str]:
    """A text and the encoding it was read in: by its mark, else UTF-8, else one byte a letter (Windows-1252)."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if content.startswith(mark):
            return content[len(mark) :].decode(name, "replace"), name.upper().removesuffix("-LE").removesuffix("-BE")
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(content), "UTF-8"
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace"), "Windows-1252"


def shown(text: str) -> str:
    """A text that can be looked at: newlines of one kind, no colour codes, nothing that turns letters round."""
    text = _COLOURS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(letter if letter in "\n\t" or not _is_hidden(letter) else "\ufffd" for letter in text)


def _is_hidden(letter: str) -> bool:
    if " " <= letter < "\x7f":
        return False
    # Marks of direction that override (as in "Trojan source") are shown; joiners and isolates belong to scripts.
    return unicodedata.category(letter) in ("Cc", "Cs") or letter in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069"


def front_matter(text: str) -> tuple[str, str]:
    """The head of a card between lines of dashes, and what follows it."""
    match = re.match(r"\ufeff?---[ \t]*\n(.*?)\n---[ \t]*(?:\n|$)", text, re.DOTALL)
    return (match[1], text[match.end() :]) if match else ("", text)
