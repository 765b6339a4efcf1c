"""A tree of named seeds: a new draw in one room leaves every other room's draws as they were."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class SeedTree:
    """A node of the seed tree; children are reached by name, so order of creation does not matter."""

    seed: int
    path: tuple[str, ...] = ()

    def child(self, name: str) -> SeedTree:
        """The node below this one with the given name."""
        return SeedTree(self.seed, (*self.path, name))

    def entropy(self) -> bytes:
        """32 bytes that depend on the seed and the path alone."""
        return hashlib.sha256(f"{self.seed}:{'/'.join(self.path)}".encode()).digest()

    def generator(self) -> np.random.Generator:
        """A fresh numpy generator (PCG64) for this node; call again for the same stream from its start."""
        import numpy as np

        return np.random.Generator(np.random.PCG64(int.from_bytes(self.entropy()[:16], "big")))
