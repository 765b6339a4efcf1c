"""Where a child writes its answer, and nobody else."""

from __future__ import annotations

import os
import sys
from typing import IO


def own_stdout() -> IO[str]:
    """The process's standard output, from now on the caller's alone: what libraries print there goes to standard error.

    A solver may greet in the middle of a plan (HiGHS 1.16 does whenever one is made); the reader waits for JSON.
    """
    sys.stdout.flush()
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answer
