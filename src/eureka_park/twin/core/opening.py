"""The board on which a run is played: the site's machines, all of them up and empty, and a leaf for each tenant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eureka_park.compute.core.board import Board
from eureka_park.compute.core.board_setup import ClassRow, ShareRow, new_board
from eureka_park.compute.core.share_paths import share_rows
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.units import GIB, MIB, kw_from_w
from eureka_park.twin.core.workload import Ints, Workload


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """A board before its first turn, and how a workload names its things there.

    `leaf_rows` is the board's share row of each of the workload's leaves, `gpu_types` the board's index of each of its
    GPU types (-1: the site has none of it).
    """

    board: Board
    leaf_rows: Ints
    gpu_types: Ints


def opening_of(
    site: Site,
    work: Workload,
    shares: Sequence[tuple[str, float, float]],
    n_slots: int = 1024,
    half_life_s: float = 7 * 86_400.0,
) -> Opening:
    """The board of a site for a workload under shares `(path, weight, floor_frac)`. Raises BadInput for what no board
    holds. As in the live park nothing that is listed is a leaf: each leaf's work lies at `-` below its path.
    """
    try:
        return opening_on(class_rows(site), site_gpu_types(site), work, shares, n_slots, half_life_s)
    except ValueError as error:
        told = f"The twin cannot hold {site.name}: {error}."
        raise BadInput(told, fix="Name a smaller site.", field="site") from None


def opening_on(
    classes: Sequence[ClassRow],
    types: Sequence[str],
    work: Workload,
    shares: Sequence[tuple[str, float, float]],
    n_slots: int = 1024,
    half_life_s: float = 7 * 86_400.0,
) -> Opening:
    """As `opening_of`, of classes of machines; `types` names their GPUs. Raises ValueError for what no board holds."""
    rows: list[ShareRow] = []
    place: dict[str, int] = {}
    declared = {path: (path, weight, floor) for path, weight, floor in shares}
    for path in work.leaves:
        declared.setdefault(path, (path, 1.0, 0.0))
    for index, row in enumerate(share_rows(tuple(declared.values()))):
        rows.append((row.parent, row.weight, row.floor_frac))
        place[row.path] = index
    leaf_rows = np.arange(len(rows), len(rows) + len(work.leaves), dtype=np.int32)
    rows += [(place[path], 1.0, 0.0) for path in work.leaves]
    board = new_board(classes, rows, n_slots, half_life_s)
    known = [types.index(name) if name in types else -1 for name in work.gpu_types]
    return Opening(board, leaf_rows, np.array(known, dtype=np.int32))


def site_gpu_types(site: Site) -> tuple[str, ...]:
    """The kinds of GPU of a site, in the order of its classes; machines without GPUs have none."""
    return tuple(dict.fromkeys(kind.gpu_type for kind in site.nodes if kind.n_gpus))


def class_rows(site: Site) -> tuple[ClassRow, ...]:
    """The site's classes of machines as a board takes them."""
    types = site_gpu_types(site)
    return tuple(
        ClassRow(
            n_nodes=kind.n_nodes,
            mcpu=kind.n_cpus * 1000,
            mem_mib=int(kind.memory_gib * GIB) // MIB,
            n_gpus=kind.n_gpus,
            gpu_type=types.index(kind.gpu_type) if kind.n_gpus else 0,
            rated_kw=kind.rated_kw,
            idle_kw=kind.idle_kw,
            gpu_kw_max=kw_from_w(kind.gpu_w_max),
            sleep_kw=kind.sleep_kw,
            nodes_per_rack=kind.nodes_per_rack,
            racks_per_pod=kind.racks_per_pod,
        )
        for kind in site.nodes
    )
