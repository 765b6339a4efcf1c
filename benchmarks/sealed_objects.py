"""What sealing costs: CPU seconds for each GiB sealed and read back, beside the SHA-256 that a content needs anyhow.

python benchmarks/sealed_objects.py [MIB]
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable

from eureka_park.data.core.sealed_form import seal, sealed_key, unseal

PIECE = 1024**2


def main() -> None:
    """Measure and print."""
    n_pieces = int(sys.argv[1]) if len(sys.argv) > 1 else 256
    piece, project_key = os.urandom(PIECE), os.urandom(32)
    key = sealed_key("ab:", "00" * 20, n_pieces * PIECE)
    sealed = list(seal(project_key, key, [piece] * n_pieces))
    hashing = _cpu_s(lambda: [hashlib.sha256(piece).digest() for _ in range(n_pieces)])
    sealing = _cpu_s(lambda: [None for _ in seal(project_key, key, [piece] * n_pieces)])
    opening = _cpu_s(lambda: [None for _ in unseal(project_key, key, sealed, 0, n_pieces * PIECE)])
    gib = n_pieces / 1024
    for name, spent in (("sha256", hashing), ("seal", sealing), ("open", opening)):
        print(f"{name:>7}: {spent / gib:.2f} CPU s/GiB, {spent / hashing:.2f} of sha256")


def _cpu_s(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best


if __name__ == "__main__":
    main()
