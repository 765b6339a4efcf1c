"""The head of a README.md: YAML between two lines of ---, read within bounds, and changed without touching the rest.

Plain words are read as YAML 1.2 has them: `no` is a text (the language Norwegian), not false.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from eureka_park.foundation.errors import BadInput

HEAD_BYTES_MAX: Final = 256 * 1024
VALUES_MAX: Final = 50_000  # what an alias stands for counts each time
DEPTH_MAX: Final = 24
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_HEAD: Final = re.compile(r"\A\ufeff?\s*^---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_INT: Final = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]{1,40}|[0-9]{1,40}(?:\.[0-9]{0,40})?)(?:[eE][-+]?[0-9]{1,3})?")
_BREAKS: Final = "\r\n\x85\u2028\u2029"  # as YAML counts lines
_LINE: Final = re.compile(rf"[^{_BREAKS}]*(?:\r\n|[{_BREAKS}])|[^{_BREAKS}]+\Z")
_FLOAT_MAX: Final = 1e300  # a larger one is kept as a text: JSON has no infinity
_PLAIN: Final[dict[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
Lines = dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a text: its values, where each key's lines are in `source`, and the text after it."""

    values: dict[str, Any] = field(default_factory=dict)
    source: str = ""
    lines: Lines = field(default_factory=dict)  # first line and the one after the last
    body: str = ""


def read_head(text: str) -> Head:
    """Read the head of a card; without one all is body. Raises BadInput for YAML that is wrong or beyond the bounds."""
    found = _HEAD.match(text)
    if found is None:
        return Head(body=text)
    source, body = found.group(1), text[found.end() :]
    if len(source.encode()) > HEAD_BYTES_MAX:
        raise _bad(f"is longer than {HEAD_BYTES_MAX // 1024} KiB")
    values, lines = _Reading().mapping(source)
    return Head(values, source, lines, body)


def body_of(text: str) -> str:
    """The text after the head, whether that can be read or not."""
    found = _HEAD.match(text)
    return text if found is None else text[found.end() :]


def with_values(text: str, changes: Mapping[str, Any]) -> str:
    """The text with other values in its head: None takes a key away. Other lines stay as they are, comments too.

    Raises BadInput for a head that cannot be read.
    """
    head = read_head(text)
    wanted = {
        key: value for key, value in {**head.values, **changes}.items() if value is not None or key not in changes
    }
    lines = _LINE.findall(head.source)
    for key in sorted((key for key in changes if key in head.lines), key=lambda key: -head.lines[key][0]):
        first, end = head.lines[key]
        while end > first + 1 and (end > len(lines) or not lines[end - 1].strip() or lines[end - 1].startswith("#")):
            end -= 1  # what is said before the next key
        value = changes[key]
        lines[first:end] = [] if value is None else [dumped({key: value})]
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    lines += [dumped({key: value}) for key, value in changes.items() if key not in head.lines and value is not None]
    source = "".join(lines)
    if _values(source) != wanted:  # written so that lines cannot be told apart, such as {a: b}
        source = dumped(wanted) if wanted else ""
    return f"---\n{source}---\n{head.body}" if source else head.body


def dumped(values: Mapping[str, Any]) -> str:
    """Values as lines of YAML that read back as the same."""
    text: str = yaml.dump(dict(values), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=4000)
    return text


class _Dumper(yaml.SafeDumper):
    """Writes what YAML 1.1 and 1.2 both read as what it was."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = None
    if not value.replace("\n", "").isprintable():
        style = '"'  # breaks of lines and marks that only escapes keep
    elif _scalar(value) != value:
        style = "'"  # such as 1e5, which YAML 1.1 takes for a text
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def _values(source: str) -> dict[str, Any] | None:
    try:
        return _Reading().mapping(source)[0]
    except BadInput:
        return None


class _Reading:
    """One reading of YAML: events become values, counted as they come."""

    def __init__(self) -> None:
        self._n_values = 0
        self._anchors: dict[str, tuple[Any, int]] = {}

    def mapping(self, source: str) -> tuple[dict[str, Any], Lines]:
        """The values at the top and the lines of each. Raises BadInput."""
        try:
            events = (event for event in yaml.parse(source, Loader=_LOADER))
            return self._document(events, source.count("\n") + 1)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f" in line {mark.line + 2}" if mark is not None else ""  # the line of --- is the first
            problem = str(getattr(error, "problem", None) or "it holds a character that YAML does not take")
            raise _bad(f"is not YAML{where}: {problem[:120]}") from None

    def _document(self, events: Iterator[Any], n_lines: int) -> tuple[dict[str, Any], Lines]:
        for event in events:
            if isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
                continue
            if isinstance(event, (yaml.StreamEndEvent, yaml.DocumentEndEvent)):
                return {}, {}
            if not isinstance(event, yaml.MappingStartEvent):
                raise _bad("is no list of 'name: value'")
            return self._top(event, events, n_lines)
        return {}, {}

    def _top(self, start: Any, events: Iterator[Any], n_lines: int) -> tuple[dict[str, Any], Lines]:
        values: dict[str, Any] = {}
        firsts: list[tuple[str, int]] = []
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event, values)
            firsts.append((key, event.start_mark.line))
            values[key] = self._value(next(events), events, 1)
        if not isinstance(next(events), yaml.DocumentEndEvent) or not isinstance(next(events), yaml.StreamEndEvent):
            raise _bad("holds several documents")
        ends = [line for _, line in firsts[1:]] + [n_lines]
        is_block = not start.flow_style
        return values, {key: (line, end) for (key, line), end in zip(firsts, ends, strict=True)} if is_block else {}

    def _key(self, event: Any, values: Mapping[str, Any]) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise _bad("has a name that is no text")
        key = clean(event.value)
        if key in values:
            raise _bad(f"names {key[:40]!a} twice")
        return key

    def _value(self, event: Any, events: Iterator[Any], depth: int) -> Any:
        before = self._n_values
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise _bad(f"refers to {str(event.anchor)[:40]!a}, which is not before it")
            value, n_values = self._anchors[event.anchor]
            self._count(n_values)
            return value
        if getattr(event, "tag", None) not in (None, "!"):
            raise _bad(f"holds the tag {str(event.tag)[:60]!a}")
        if depth > DEPTH_MAX:
            raise _bad(f"is deeper than {DEPTH_MAX} levels")
        self._count(1)
        value = self._inside(event, events, depth)
        if event.anchor:
            self._anchors[event.anchor] = (value, self._n_values - before)
        return value

    def _inside(self, event: Any, events: Iterator[Any], depth: int) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event.value) if event.implicit[0] and not event.style else clean(event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(item := next(events), yaml.SequenceEndEvent):
                items.append(self._value(item, events, depth + 1))
            return items
        values: dict[str, Any] = {}
        while not isinstance(item := next(events), yaml.MappingEndEvent):
            key = self._key(item, values)
            values[key] = self._value(next(events), events, depth + 1)
        return values

    def _count(self, n: int) -> None:
        self._n_values += n
        if self._n_values > VALUES_MAX:
            raise _bad(f"holds more than {VALUES_MAX:,} values")


def _scalar(text: str) -> Any:
    """What a plain word stands for."""
    if text in _PLAIN:
        return _PLAIN[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and abs(float(text)) < _FLOAT_MAX:
        return float(text)
    return clean(text)


def clean(text: str) -> str:
    """A text that a database keeps: without NUL and halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def texts_of(value: Any) -> list[str]:
    """A value as texts: one, or several in a list; what is neither text nor number is left out."""
    items: Sequence[Any] = value if isinstance(value, list) else [value]
    return [str(item).strip() for item in items if isinstance(item, (str, int, float)) and not isinstance(item, bool)]


def _bad(what: str) -> BadInput:
    return BadInput(
        f"The head of README.md {what}.",
        fix="Write it as lines of 'name: value' between two lines of ---.",
        code="bad_card",
        field="README.md",
    )
