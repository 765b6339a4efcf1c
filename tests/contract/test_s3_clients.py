"""S3 clients, unmodified, against a served park, each a process; what they do is the table in the documentation."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.helpers.s3_door import S3Scene
from tests.helpers.s3_table import CLIENTS, rows_of, rows_on_page, run_all


def test_clients_do_what_the_table_says(tmp_path: Path) -> None:
    scene = S3Scene(tmp_path)
    try:
        found = run_all(scene)
    finally:
        scene.stop()
    assert set(CLIENTS) - set(found) <= {"rclone"}
    assert rows_of(found) == rows_on_page(list(found))
    if not shutil.which("rclone"):
        pytest.skip("all but rclone, which is not installed here")
