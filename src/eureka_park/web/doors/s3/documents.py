"""The door's documents: XML read without entities and within limits, and written. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeAlias
from urllib.parse import quote
from xml.parsers import expat
from xml.sax.saxutils import escape

from eureka_park.web.doors.s3.faults import Fault

NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
BYTES_MAX: Final = 2 * 1024**2  # a list of 10,000 parts with their checksums, or of 1,000 keys
DEPTH_MAX: Final = 10
NODES_MAX: Final = 100_000
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")

Value: TypeAlias = "str | int | bool | Sequence[Value] | Mapping[str, Value] | None"


@dataclass(slots=True)
class Node:
    """An element: its name without namespace, its text, what is in it."""

    name: str
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def all(self, name: str) -> Iterator[Node]:
        """Those of one name that are in it."""
        return (child for child in self.children if child.name == name)

    def get(self, name: str) -> Node | None:
        """The first of one name, or None."""
        return next(self.all(name), None)

    def text_of(self, name: str, otherwise: str = "") -> str:
        """The text of the first of one name."""
        found = self.get(name)
        return otherwise if found is None else found.text.strip()


def read(content: bytes, root: str) -> Node:
    """A document with a root of this name. Raises Fault (`MalformedXML`), for any document type or entity too."""
    if len(content) > BYTES_MAX:
        raise malformed()
    reader = _Reader()
    try:
        reader.parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError):  # wrong XML; wrong characters; an encoding nobody knows
        raise malformed() from None
    if reader.top is None or reader.top.name != root:
        raise malformed()
    return reader.top


class _Reader:
    def __init__(self) -> None:
        self.top: Node | None = None
        self._open = list[Node]()
        self._n_nodes = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._words
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.ExternalEntityRefHandler = self._refuse
        self.parser.ProcessingInstructionHandler = self._refuse

    def _start(self, name: str, _attributes: Mapping[str, str]) -> None:
        node = Node(name.rpartition(" ")[2])
        self._n_nodes += 1
        if len(self._open) >= DEPTH_MAX or self._n_nodes > NODES_MAX:
            raise malformed()
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.top = node
        self._open.append(node)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _words(self, words: str) -> None:
        self._open[-1].text += words

    def _refuse(self, *_what: object) -> int:
        raise malformed()


def malformed() -> Fault:
    """The error for every document that is not what it should be."""
    return Fault("MalformedXML", "The XML you provided was not well-formed or did not validate against our schema.")


# -- writing -----------------------------------------------------------------------------------------------------------
def write(root: str, value: Mapping[str, Value], *, namespace: str = NAMESPACE) -> bytes:
    """A document. In `value` a list repeats its element, None leaves it out, `{}` makes it empty."""
    about = f' xmlns="{namespace}"' if namespace else ""
    inner = "".join(_parts(value))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}{about}>{inner}</{root}>'.encode("utf-8", "replace")


def _parts(value: Mapping[str, Value]) -> Iterator[str]:
    for name, inner in value.items():
        yield from _element(name, inner)


def _element(name: str, value: Value) -> Iterator[str]:
    tag = name.partition(" ")[0]  # attributes may stand behind the name
    if value is None:
        return
    if isinstance(value, Mapping):
        yield f"<{name}>{''.join(_parts(value))}</{tag}>"
    elif isinstance(value, str | int):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        yield f"<{name}>{_CONTROL.sub(_numbered, escape(text))}</{tag}>"
    else:
        for one in value:
            yield from _element(name, one)


def _numbered(found: re.Match[str]) -> str:
    """Control characters by number, as S3 has them; whoever needs them asks for `encoding-type=url`."""
    return f"&#x{ord(found[0]):X};"


def at(seconds: float) -> str:
    """An instant as documents have it."""
    instant = datetime.fromtimestamp(seconds, UTC)
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03d}Z"


def url_encoded(text: str, encoding: str) -> str:
    """A key as a list shows it: as it is, or encoded where `encoding` is `url`."""
    return quote(text, safe="/-._~*", encoding="utf-8", errors="replace") if encoding == "url" else text


def one_of(word: str, allowed: Iterable[str]) -> str:
    """A word of a document that must be one of some. Raises Fault."""
    if word not in allowed:
        raise malformed()
    return word
