"""Compiles every kernel once, so that a first turn need not: `python -m eureka_park.cli.warm`, which `./park` calls.

What is compiled already is found on disk, whoever compiled it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import time
from typing import Final

from eureka_park.foundation import kernels

ENTRIES: Final = (
    "eureka_park.control.tick",
    "eureka_park.twin.core.play",
)  # each has `warm()`: its kernels called once


def main() -> None:
    """Compile and keep; one line says how long it took and where they lie."""
    begin_s = time.perf_counter()
    for name in ENTRIES:
        if importlib.util.find_spec(name):
            importlib.import_module(name).warm()
    kept = [folder for folder in kernels.folders() if any(folder.glob(f"*{kernels.SUFFIX}"))]
    print(f"kernels ready after {time.perf_counter() - begin_s:.1f} s, kept in {kept[0] if kept else 'no folder'}")
    if not kept and not kernels.config.DISABLE_JIT:
        print("No folder for them can be written; NUMBA_CACHE_DIR names another.", file=sys.stderr)


if __name__ == "__main__":
    main()
