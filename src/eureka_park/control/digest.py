"""The digest of actions: SHA-256 over what was decided, in order, canonically encoded; live and twin must agree on it.

Each action is one record: instant, order of the job, GPU mask, its two numbers, code, first node, number of nodes;
little-endian, 56 bytes.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import numpy as np

RECORD: Final = np.dtype(
    [("at_s", "<f8"), ("order", "<i8"), ("gpu_mask", "<i8"), ("a", "<f8"), ("b", "<f8"), ("code", "<i4"),
     ("node", "<i4"), ("n_nodes", "<i4"), ("pad", "<i4")]
)  # fmt: skip


class ActionDigest:
    """Takes actions turn by turn; `hexdigest` at any time."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()
        self.n_actions = 0

    def add_rows(self, at_s: float, rows: Any) -> None:
        """The rows of one turn (`board.actions[:n]`)."""
        records = np.zeros(len(rows), RECORD)
        records["at_s"] = at_s
        for name in ("order", "gpu_mask", "a", "b", "code", "node", "n_nodes"):
            records[name] = rows[name]
        self.add_records(records)

    def add_records(self, records: Any) -> None:
        """Rows that hold their instants already."""
        self._sha.update(np.ascontiguousarray(records).view(np.uint8).data)
        self.n_actions += len(records)

    def hexdigest(self) -> str:
        """SHA-256 so far, as hexadecimal digits."""
        return self._sha.hexdigest()
