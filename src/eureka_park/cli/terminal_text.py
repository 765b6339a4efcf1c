"""What a job wrote, made safe for somebody's terminal: text and colours pass, orders to the terminal do not.

A log may hold sequences that set a window's title, write to the clipboard, or move the cursor over what stands there
(ECMA-48; xterm's control sequences). Of all these only SGR, the one for colours, is let through.
"""

from __future__ import annotations

import re
from typing import Final

_HELD_MAX: Final = 4096
_PIECE: Final = re.compile(
    r"(?P<colour>\x1b\[[0-9;:]*m)"
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # strings: title, clipboard, ...
    r"|\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b[ -/]*[0-~]"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)
_OPEN: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b\x9c]*\x1b?|[ -/]*)?\Z")


class TerminalText:
    """Takes a text in pieces, cut anywhere, and gives what may be shown of it."""

    def __init__(self) -> None:
        self._held = ""

    def take(self, piece: str) -> str:
        """What can be shown now; a sequence that is not whole yet is kept for the next piece."""
        text = self._held + piece
        begun = _OPEN.search(text)
        self._held = text[begun.start() :] if begun else ""
        if len(self._held) > _HELD_MAX:
            self._held = self._held[:2]  # an endless string stays one that nobody sees
        return _PIECE.sub(_kept, text[: begun.start()] if begun else text)


def _kept(found: re.Match[str]) -> str:
    return found["colour"] or ""
