"""Plays scenes by chance with the kernels and prints, after each turn, a digest of the whole board and its actions.

`python -m tests.helpers.board_digest SEED...`; with NUMBA_DISABLE_JIT=1 kernels run as the Python they are written in.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator

import numpy as np

from tests.helpers.plain_sides import KernelSide
from tests.helpers.plain_world import World, random_scene

N_JOBS, N_HOURS = 30, 5


def digests(seed: int) -> Iterator[str]:
    """One for each turn."""
    scene = random_scene(seed, N_JOBS, hours=N_HOURS, step_s=300.0)
    side = KernelSide(scene, n_slots=8, explain=True)  # it grows on the way
    world = World(scene, [side])
    for _ in range(scene.n_steps):
        world.step()
        digest = hashlib.sha256()
        for array in side.board:
            for name in array.dtype.names or ("",):  # field by field: what lies between fields means nothing
                digest.update(np.ascontiguousarray(array[name] if name else array).tobytes())
        yield digest.hexdigest()[:16]


if __name__ == "__main__":
    for word in sys.argv[1:]:
        print(word, *digests(int(word)))
