"""What a share has used of late and what is due to it, as two figures that compare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from eureka_park.compute.core.board import NONE, Array, Board


class ShareFracs(NamedTuple):
    """Of the park: what a share has used lately, and what its weight gives it among those who want work done."""

    used_frac: float
    due_frac: float


def share_fracs(board: Board, share: int, wanting: Array | None = None) -> ShareFracs:
    """The figures of one share. `wanting`: what `_wanting` tells of this board, where that is known.

    Used: its part of all remembered use of the resource of which it has used most. Due: its weight over those of its
    siblings with jobs, its own included, level by level up to the root.
    """
    capacity, used = board.capacity, board.used[share]
    part = np.divide(used, capacity, out=np.zeros_like(used), where=capacity > 0.0)
    resource = int(np.argmax(part))
    whole = float(board.used[0, resource])
    used_frac = min(1.0, float(used[resource]) / whole) if whole > 0.0 else 0.0
    return ShareFracs(used_frac, _due_frac(board, share, _wanting(board) if wanting is None else wanting))


def _wanting(board: Board) -> Array:
    """By share the weights of its children with jobs, summed."""
    shares = board.shares
    weights = np.where((shares.n_waiting > 0) | (shares.n_on > 0), shares.weight, 0.0)
    return np.bincount(shares.parent + 1, weights=weights, minlength=shares.shape[0] + 1)[1:]


def _due_frac(board: Board, share: int, wanting: Array) -> float:
    shares, frac, at = board.shares, 1.0, share
    while (parent := int(shares.parent[at])) != NONE:
        own, is_counted = float(shares.weight[at]), shares.n_waiting[at] > 0 or shares.n_on[at] > 0
        frac *= own / (float(wanting[parent]) + (0.0 if is_counted else own))
        at = parent
    return frac


def project_facts(board: Board, rows: Mapping[str, int]) -> dict[str, dict[str, float]]:
    """By project `used_frac` and `due_frac`, to four digits. `rows`: the share of each project."""
    wanting = _wanting(board)
    return {
        project: {name: round(value, 4) for name, value in share_fracs(board, row, wanting)._asdict().items()}
        for project, row in rows.items()
        if row < board.shares.shape[0]
    }
