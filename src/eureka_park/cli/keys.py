"""Keys as they are pressed, one at a time, on POSIX terminals and on Windows; arrows have names."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import Any, Final

_NAMES: Final = {
    "\x1b[A": "up", "\x1bOA": "up", "\x1b[B": "down", "\x1bOB": "down", "\x1b[5~": "pageup", "\x1b[6~": "pagedown",
    "\x1b[H": "home", "\x1b[F": "end", "\x1b": "esc", "\r": "enter", "\n": "enter",
    "\x7f": "backspace", "\x08": "backspace",
}  # fmt: skip
_WINDOWS_NAMES: Final = {"H": "up", "P": "down", "I": "pageup", "Q": "pagedown", "G": "home", "O": "end"}


def named(pressed: str) -> str:
    """The name of what a terminal sent for one key; a letter stands for itself."""
    return _NAMES.get(pressed, pressed)


class Keys:
    """Use as a context: the terminal then gives keys at once and shows none; afterwards it is as it was."""

    def __init__(self) -> None:
        self._kept: Any = None

    def __enter__(self) -> Keys:
        if os.name != "nt":
            import termios
            import tty

            self._kept = termios.tcgetattr(sys.stdin.fileno())
            tty.setcbreak(sys.stdin.fileno())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._kept is not None:
            import termios

            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._kept)

    def read(self, timeout_s: float) -> str:
        """The next key, or an empty text when none was pressed in time. Raises EOFError when the terminal is gone."""
        return self._read_windows(timeout_s) if os.name == "nt" else self._read_posix(timeout_s)

    def _read_posix(self, timeout_s: float) -> str:
        import select

        descriptor = sys.stdin.fileno()
        if not select.select([descriptor], [], [], timeout_s)[0]:
            return ""
        pressed = os.read(descriptor, 1)
        if not pressed:
            raise EOFError
        if pressed == b"\x1b" and select.select([descriptor], [], [], 0.02)[0]:
            pressed += os.read(descriptor, 8)
        while pressed[0] >= 0xC0 and len(pressed) < 4:  # the rest of a letter beyond ASCII
            try:
                pressed.decode()
                break
            except UnicodeDecodeError:
                pressed += os.read(descriptor, 1)
        return named(pressed.decode("utf-8", "replace"))

    def _read_windows(self, timeout_s: float) -> str:
        if sys.platform == "win32":
            import msvcrt

            end_s = time.monotonic() + timeout_s
            while not msvcrt.kbhit():
                if time.monotonic() >= end_s:
                    return ""
                time.sleep(0.02)
            pressed = msvcrt.getwch()
            if pressed in "\x00\xe0":
                return _WINDOWS_NAMES.get(msvcrt.getwch(), "")
            if pressed == "\x03":
                raise KeyboardInterrupt
            return named(pressed)
        return ""
