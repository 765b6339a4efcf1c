"""What the deciding process tells of its board for people to see: shares, nodes that are not up, windows.

It leaves them in `run/board.json` whenever they change; the database's journal is what they follow from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

FILE: Final = "run/board.json"


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of park time in which nodes are closed: for maintenance, or kept for a project."""

    window_id: str
    node_ids: tuple[str, ...]
    from_s: float
    to_s: float
    project: str = ""  # "": nobody's, maintenance
    why: str = ""

    def overlaps(self, other: Window) -> bool:
        """Whether both close one node at one time."""
        is_together = self.from_s < other.to_s and other.from_s < self.to_s
        return is_together and not set(self.node_ids).isdisjoint(other.node_ids)

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value."""
        return {**{name: getattr(self, name) for name in self.__slots__}, "node_ids": list(self.node_ids)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Window:
        """Read what `to_json` wrote."""
        return cls(**{**value, "node_ids": tuple(value["node_ids"])})


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """The facts. `shares`: by project `used_frac` and `due_frac`; `nodes`: those not up, with `state` and `why`;
    `gangs`: by job the nodes that it holds.
    """

    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    nodes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    windows: tuple[Window, ...] = ()
    gangs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def to_text(self) -> str:
        """As a file."""
        windows = [window.to_json() for window in self.windows]
        value = {"shares": dict(self.shares), "nodes": dict(self.nodes), "windows": windows, "gangs": dict(self.gangs)}
        return json.dumps(value)

    @classmethod
    def from_text(cls, text: str | None) -> BoardFacts:
        """Read a file; one that is not there, or not of this form, tells nothing."""
        try:
            value = json.loads(text or "{}")
            windows = tuple(Window.from_json(item) for item in value.get("windows", ()))
            gangs = {job_id: tuple(names) for job_id, names in value.get("gangs", {}).items()}
            return cls(dict(value.get("shares", {})), dict(value.get("nodes", {})), windows, gangs)
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()
