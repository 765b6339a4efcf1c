"""A job's life as spans of time without gaps, from what its timeline says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

# Beside the states of a job: `capped` (it runs below full power) and `ending` (it was asked to end).
ON_NODE_SPANS: Final = frozenset({"starting", "running", "capped", "pausing", "frozen", "ending"})
_WAITING: Final = frozenset({"queued", "paused"})
_ENDS: Final = frozenset({"finished", "failed", "cancelled", "lost"})


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch of a job's life, `[from_s, until_s)` in park time; `until_s` None: it goes on."""

    state: str
    from_s: float
    until_s: float | None
    cap_frac: float = 1.0
    node: str = ""
    reason: Mapping[str, Any] | None = None

    @property
    def is_on_node(self) -> bool:
        """Whether the job held a node."""
        return self.state in ON_NODE_SPANS

    def within(self, since_s: float, until_s: float) -> Span | None:
        """The part of it between two instants; None where there is none."""
        begin = max(self.from_s, since_s)
        end = until_s if self.until_s is None else min(self.until_s, until_s)
        if begin >= end:
            return None
        return replace(self, from_s=begin, until_s=None if self.until_s is None and end == until_s else end)


def spans_of(timeline: Sequence[Mapping[str, Any]], reasons: Sequence[Mapping[str, Any]] = ()) -> list[Span]:
    """The spans of a job. `timeline`: rows with at_s, what, cap_frac, node, reason; `reasons`: those that hold now.

    Spans without length are left out. A waiting span has the reason that the following start brings with it, or the
    one that holds now; a capped, pausing, paused or frozen one that of the decision.
    """
    found = [span for span in _raw(timeline) if span.until_s is None or span.until_s > span.from_s]
    if found and found[-1].until_s is None and reasons:
        found[-1] = replace(found[-1], reason=dict(reasons[0]))
    return found


def _raw(timeline: Sequence[Mapping[str, Any]]) -> Iterator[Span]:
    here: Span | None = None
    for row in timeline:
        if row["what"] == "promised":
            continue  # it waits on
        at_s = row["at_s"] if here is None else max(here.from_s, row["at_s"])
        if here is not None:
            yield replace(here, until_s=at_s, reason=_reason_of(here, row))
        if row["what"] in _ENDS:
            return
        here = _next(here, row, at_s)
    if here is not None:
        yield here


def _reason_of(span: Span, following: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if span.state == "queued" and following["what"] == "starting":
        return following["reason"] or span.reason
    return span.reason


def _next(before: Span | None, row: Mapping[str, Any], at_s: float) -> Span:
    what, reason = str(row["what"]), row["reason"]
    cap_frac, node = (before.cap_frac, before.node) if before else (1.0, "")
    if what in _WAITING:
        cap_frac, node = 1.0, ""
    if what == "starting":
        cap_frac, node, reason = 1.0, row["node"] or "", None
    if what == "capped":
        cap_frac = row["cap_frac"] if row["cap_frac"] is not None else cap_frac
        what = "running"
    if what == "paused" and reason is None and before is not None:
        reason = before.reason  # of the decision that asked it to pause
    state = "capped" if what == "running" and cap_frac < 1.0 else what
    if state == "running" or row["what"] == "running":
        reason = None  # a thaw's reason says why it goes on, not why it is capped
    if state == "capped" and reason is None and before is not None and before.state == "capped":
        reason = before.reason
    return Span(state, at_s, None, cap_frac, node, reason)
