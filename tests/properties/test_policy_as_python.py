"""Kernels do the same as Python and as machine code: a live park begins with the one and may go over to the other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.helpers.board_digest import digests

SEEDS = ("3", "14", "159")


def test_every_bit_of_the_board_is_the_same_as_python_and_as_machine_code() -> None:
    command = [sys.executable, "-W", "error::RuntimeWarning", "-m", "tests.helpers.board_digest", *SEEDS]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        command, cwd=root, env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    as_python = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    for seed in SEEDS:
        compiled = list(digests(int(seed)))
        assert len(set(compiled)) > 30, "turns change the board: else this compares nothing"
        assert as_python[seed].split() == compiled
