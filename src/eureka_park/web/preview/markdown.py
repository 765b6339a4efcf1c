"""Cards written in Markdown as HTML that can do nothing: no HTML of their own, no scripts, no foreign pictures."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

CARD_BYTES_MAX: Final = 64 * 1024
LINE_CHARS_MAX: Final = 4000  # longer ones hold what takes time and nobody reads
_SAFE: Final = frozenset({"http", "https", "mailto"})
_BLOCKS: Final = frozenset(
    {"paragraph_open", "heading_open", "list_item_open", "td_open", "th_open", "blockquote_open"}
)

Address = Callable[[str, bool], str]  # of a file of the repository, by its path; whether it is a picture


@cache
def _reader() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "maxNesting": 12}).enable(["table", "strikethrough"])
    setattr(made, "validateLink", _every)  # noqa: B010 (each is looked at in `_linked`)
    return made


def _every(url: str) -> bool:
    return len(url) < 4096


def rendered(text: str, address: Address, *, heading: int = 2) -> Markup:
    """Markdown as HTML. `address` gives the place of the repository's own files; headings begin at `heading`.

    Everything else that a text may hold is escaped: tags are shown as they are written.
    """
    lines = [line if len(line) <= LINE_CHARS_MAX else f"{line[:LINE_CHARS_MAX]} …" for line in text.split("\n")]
    tokens = _reader().parse("\n".join(lines))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1:]) + heading - 1)}"
        if token.type in _BLOCKS:
            token.attrSet("dir", "auto")
        if token.type == "fence":
            token.info = ""
        if token.type in ("td_open", "th_open") and token.attrGet("style"):
            side = "end" if "right" in str(token.attrs.pop("style")) else "start"
            token.attrSet("class", f"align-{side}")
        if token.children:
            token.children = [_linked(child, address) for child in token.children]
    options: Any = _reader().options
    html = str(_reader().renderer.render(tokens, options, {}))
    html = html.replace("<table>", '<div class="scroll"><table>').replace("</table>", "</table></div>")
    return Markup(html)


def _linked(token: Token, address: Address) -> Token:
    """A link or a picture that leads where it may; one that may lead nowhere becomes words."""
    if token.type == "link_open":
        place = _place(str(token.attrGet("href") or ""), address, is_picture=False)
        token.attrs = {"href": place} if place else {}
        if place.lower().startswith(("http:", "https:")):
            token.attrs["rel"] = "nofollow noopener noreferrer ugc"
    elif token.type == "image":
        source = str(token.attrGet("src") or "")
        if urlsplit_safe(source) is None or source.startswith(("//", "data:")) or ":" in source.split("/")[0]:
            return _words(token.content or source[:200])
        place = _place(source, address, is_picture=True)
        if not place:
            return _words(token.content)
        token.attrs = {"src": place, "alt": "", "lang": "und", "loading": "lazy"}
    return token


def _words(text: str) -> Token:
    return Token("text", "", 0, content=text)


def _place(href: str, address: Address, *, is_picture: bool) -> str:
    parts = urlsplit_safe(href)
    if parts is None:
        return ""
    if parts.scheme:
        return href if parts.scheme.lower() in _SAFE and not is_picture else ""
    if parts.netloc or "\\" in href:
        return ""
    if not parts.path:
        return ""  # a place within the card: headings have no names here
    return address(parts.path, is_picture)


def urlsplit_safe(text: str) -> Any:
    """An address in its parts; None for what is none."""
    try:
        return urlsplit(text)
    except ValueError:
        return None
