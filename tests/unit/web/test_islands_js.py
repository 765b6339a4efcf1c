"""The islands' own logic, run by Node: colours of terminals, the window on a log, times."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.helpers.npm import node

HERE = Path(__file__).parent / "islands"


def test_logic_of_the_islands() -> None:
    files = sorted(map(str, HERE.glob("*.test.mjs")))
    assert len(files) >= 3
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NODE_")}
    done = subprocess.run(
        [node(), "--test", "--test-reporter=tap", *files],
        capture_output=True, text=True, check=False, timeout=120, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "# fail 0" in done.stdout and "# pass 0" not in done.stdout
