"""Which paths a list of ignored files names, in time that whoever wrote the list cannot stretch.

The form is that of Git (gitignore(5)). Patterns never become regular expressions: those go back and try again, and a
line of stars would hold a process for hours. Here the places of a pattern that a text has come to are the bits of one
number, so each character is looked at once; steps are counted, and there is a most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from eureka_park.foundation.errors import BadInput, TooLarge

PATTERNS_MAX: Final = 500
PATTERN_CHARS_MAX: Final = 256
STEPS_MAX: Final = 4_000_000  # of all paths of one request together: some two seconds of one core
_DEEP: Final = "**"

Accepts = Callable[[str], bool]


class Ignored:
    """The files that a list leaves out. One object serves one request: it counts its steps."""

    def __init__(self, lines: Iterable[str], steps_max: int = STEPS_MAX) -> None:
        self._steps, self._known = _Steps(steps_max), dict[tuple[str, bool], int]()
        found = [rule for rule in map(_rule, lines) if rule is not None]
        numbered = list(enumerate(found))
        self._is_negated = [rule.is_negated for rule in found]
        self._by_name = [(at, rule) for at, rule in reversed(numbered) if rule.is_name]
        self._by_path = [(at, rule) for at, rule in reversed(numbered) if not rule.is_name]

    def names(self, path: str) -> bool:
        """Whether the list leaves a file out, by itself or with a folder above it. Raises TooLarge (steps)."""
        pieces = path.split("/")
        decided = [self._of_name(piece, is_folder=at < len(pieces) - 1) for at, piece in enumerate(pieces)]
        for at, rule in self._by_path:
            for depth in rule.depths(pieces, self._steps):
                decided[depth] = max(decided[depth], at)
        return any(at >= 0 and not self._is_negated[at] for at in decided)

    def _of_name(self, piece: str, *, is_folder: bool) -> int:
        """The last pattern for names at any depth that names this one; -1 for none."""
        key = (piece, is_folder)
        if key not in self._known:
            fitting = (
                at
                for at, rule in self._by_name
                if (is_folder or not rule.is_folder) and rule.pieces[0].fits(piece, self._steps)
            )
            self._known[key] = next(fitting, -1)
        return self._known[key]


def given(text: str) -> Ignored:
    """A list that came with a request. Raises BadInput for one that is too long."""
    lines = _lines(text)
    if len(lines) > PATTERNS_MAX or any(len(line) > PATTERN_CHARS_MAX for line in lines):
        raise BadInput(
            f"The list of ignored files has more than {PATTERNS_MAX} patterns, or one of more than"
            f" {PATTERN_CHARS_MAX} characters.",
            fix="Shorten it.",
            field="gitIgnore",
        )
    return Ignored(lines)


def kept(text: str) -> Ignored:
    """A list that lies in a repository: nobody can be refused for it, so what is too much of it leaves nothing out."""
    return Ignored([line for line in _lines(text) if len(line) <= PATTERN_CHARS_MAX][:PATTERNS_MAX])


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


class _Steps:
    """What looking has taken so far."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, n: int) -> None:
        self._left -= n
        if self._left < 0:
            raise TooLarge(
                "The list of ignored files takes too long to go through.",
                fix="Ask for fewer files at once, or use fewer patterns with wildcards.",
                field="gitIgnore",
            )


class _Glob:
    """A pattern for one piece of a path: literal characters, ?, [...] and *."""

    def __init__(self, items: list[str | Accepts], stars: int) -> None:
        self._items, self._stars, self._end = items, stars, 1 << len(items)
        is_plain = all(isinstance(item, str) for item in items)
        self._literal = "".join(str(item) for item in items) if is_plain else None
        self._masks: dict[str, int] = {}

    def fits(self, text: str, steps: _Steps) -> bool:
        """Whether the whole text is named."""
        steps.take(1)
        if self._literal is not None:
            if not self._stars:
                return text == self._literal
            if self._stars == 1:
                return text.endswith(self._literal)
            if self._stars == self._end:
                return text.startswith(self._literal)
        return self._walk(text, steps)

    def _walk(self, text: str, steps: _Steps) -> bool:
        """`places`: bit n is set where the first n items fit all of the text so far."""
        steps.take(len(text))
        places = 1
        for char in text:
            places = (places & self._mask(char, steps)) << 1 | (places & self._stars)
            if not places:
                return False
        return bool(places & self._end)

    def _mask(self, char: str, steps: _Steps) -> int:
        """The items that accept a character."""
        if char not in self._masks:
            steps.take(len(self._items))
            fitting = (item == char if isinstance(item, str) else item(char) for item in self._items)
            self._masks[char] = sum(1 << at for at, fits in enumerate(fitting) if fits)
        return self._masks[char]


@dataclass(frozen=True, slots=True)
class _Rule:
    """A line of the list. `is_name`: it names things at any depth; `is_folder`: only folders."""

    pieces: tuple[_Glob, ...]
    deep: int  # bit n: any number of folders may stand before piece n
    is_negated: bool
    is_folder: bool
    is_name: bool

    def depths(self, pieces: list[str], steps: _Steps) -> Iterable[int]:
        """How deep in a path the things lie that this names; as `_Glob` does with characters."""
        places, end = 1, 1 << len(self.pieces)
        for depth, piece in enumerate(pieces):
            steps.take(len(self.pieces))
            reached = places & self.deep
            for at, glob in enumerate(self.pieces):
                if places >> at & 1 and glob.fits(piece, steps):
                    reached |= 2 << at
            if reached & end and (depth < len(pieces) - 1 or not self.is_folder):
                yield depth
            places = reached & ~end
            if not places:
                return


def _rule(line: str) -> _Rule | None:
    """Read a line; None for one that says nothing or is broken."""
    text = _without_end_spaces(line)
    is_negated = text.startswith("!")
    text = text[1:] if is_negated else text
    is_folder = text.endswith("/")
    text = text[:-1] if is_folder else text
    if not text:
        return None
    words = text.split("/")
    is_name = len(words) == 1 and words[0] != _DEEP
    if len(words) > 1 and not words[0]:
        words = words[1:]
    globs: list[_Glob] = []
    deep = 0
    for at, word in enumerate(words):
        if word == _DEEP:
            deep |= 1 << len(globs)
            if at < len(words) - 1:
                continue
            word = "*"
        glob = _glob(word)
        if glob is None:
            return None
        globs.append(glob)
    return _Rule(tuple(globs), deep, is_negated, is_folder, is_name)


def _without_end_spaces(line: str) -> str:
    bare = line.rstrip(" ")
    n_escapes = len(bare) - len(bare.rstrip("\\"))
    return bare + " " if n_escapes % 2 and len(bare) < len(line) else bare


def _glob(word: str) -> _Glob | None:
    """Read one piece of a pattern; None for a broken one, which names nothing."""
    items: list[str | Accepts] = []
    stars = at = 0
    while at < len(word):
        char = word[at]
        at += 1
        if char == "*":
            stars |= 1 << len(items)
        elif char == "?":
            items.append(_any)
        elif char == "[":
            accepts, at = _class(word, at)
            if accepts is None:
                return None
            items.append(accepts)
        elif char == "\\":
            if at == len(word):
                return None
            items.append(word[at])
            at += 1
        else:
            items.append(char)
    return _Glob(items, stars) if word else None


def _any(char: str) -> bool:
    return True


def _class(word: str, at: int) -> tuple[Accepts | None, int]:
    """What stands between brackets, from behind the opening one, and where the rest begins."""
    is_negated = word[at : at + 1] in ("!", "^")
    first = at = at + is_negated
    spans: list[tuple[str, str]] = []
    while at < len(word) and (word[at] != "]" or at == first):
        low, at = _char(word, at)
        high = low
        if word[at : at + 1] == "-" and word[at + 1 : at + 2] not in ("", "]"):
            high, at = _char(word, at + 1)
        spans.append((low, high))
    if at >= len(word):
        return None, at
    return lambda char: any(low <= char <= high for low, high in spans) is not is_negated, at + 1


def _char(word: str, at: int) -> tuple[str, int]:
    """A character between brackets, which a backslash may stand before."""
    at += word[at] == "\\" and at + 1 < len(word)
    return word[at], at + 1


__all__ = ["Ignored", "given", "kept"]
