"""Compiles every kernel once: `python -m eureka_park.cli.warm`, which a park starts in the background.

What is compiled already is found on disk, whoever compiled it. Until then rules run as Python.
"""

from __future__ import annotations

import importlib
import sys
import time
from typing import Final

from eureka_park.adapters import machine_code
from eureka_park.foundation import kernels

# Each has `warm()`: its kernels called once. The twin comes first, as its loop cannot do without.
ENTRIES: Final = ("eureka_park.twin.core.play", "eureka_park.control.tick")


def main() -> None:
    """Compile and keep; one line says how long it took and where they lie."""
    begin_s = time.perf_counter()
    if kernels.IS_OFF:
        print("NUMBA_DISABLE_JIT is set: nothing is compiled.")
        return
    for name in ENTRIES:
        importlib.import_module(name).warm()
    folder = machine_code.note_compiled()
    print(f"kernels ready after {time.perf_counter() - begin_s:.1f} s, kept in {folder or 'no folder'}")
    if folder is None:
        print("No folder for them can be written; NUMBA_CACHE_DIR names another.", file=sys.stderr)


if __name__ == "__main__":
    main()
