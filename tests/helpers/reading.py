"""Reads a page as a browser would: elements, texts with what stands around them, addresses."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

OPENING, CLOSE = "\u2066\u2067\u2068", "\u2069"
VOID = {"meta", "link", "img", "br", "input", "hr"}


def outside_isolates(text: str) -> str:
    """What of a text stands outside Unicode isolates, which may hold others."""
    depth, kept = 0, []
    for mark in text:
        depth += (mark in OPENING) - (mark == CLOSE)
        if depth == 0 and mark != CLOSE:
            kept.append(mark)
    return "".join(kept)


@dataclass(frozen=True)
class Element:
    """An element with its attributes."""

    tag: str
    attributes: dict[str, str]


@dataclass
class Text:
    """A text and the elements that hold it, outermost first."""

    text: str
    around: list[Element]

    @property
    def lang(self) -> str:
        return next((item.attributes["lang"] for item in reversed(self.around) if "lang" in item.attributes), "")

    def is_in(self, *tags: str) -> bool:
        return any(item.tag in tags for item in self.around)

    @property
    def is_isolated(self) -> bool:
        return self.is_in("bdi", "pre", "code") or any(
            "dir" in item.attributes for item in self.around if item.tag != "html"
        )


@dataclass
class Page(HTMLParser):
    """A page read: every element was closed in its turn."""

    html: str
    elements: list[Element] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    _open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"twice the same attribute: {attrs}"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1].tag == tag, f"</{tag}> closes {self._open[-1:]}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(Text(data.strip(), list(self._open)))

    def all(self, tag: str) -> list[Element]:
        return [item for item in self.elements if item.tag == tag]

    @property
    def text(self) -> str:
        return " ".join(item.text for item in self.texts)
