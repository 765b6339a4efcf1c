"""Runs all S3 clients against a served park and writes what they did: docs/results/s3-clients.md.

python -m tests.helpers.s3_table          with the clients as they are installed here
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from tests.helpers.s3_door import S3Scene

STEPS = Path(__file__).parents[1] / "contract"
PAGE = Path(__file__).parents[2] / "docs/results/s3-clients.md"
CLIENTS = {
    "boto3": ("s3_steps.py",),
    "aws": ("s3_steps_commands.py", "aws"),
    "s3fs": ("s3_steps_python.py", "s3fs"),
    "obstore": ("s3_steps_python.py", "obstore"),
    "pyarrow": ("s3_steps_python.py", "pyarrow"),
    "rclone": ("s3_steps_commands.py", "rclone"),
}
OPERATIONS = (
    "make bucket", "list buckets", "put", "get", "get range", "head", "metadata", "odd keys", "missing key", "list",
    "list by folder", "list pages", "copy", "move", "put in parts", "get large", "copy in parts", "list uploads",
    "checksums", "wrong checksum", "get if changed", "put if absent", "put if unchanged", "presigned get",
    "presigned put", "versions", "lifecycle", "tags", "tables", "sync", "delete", "delete many", "drop bucket",
    "wrong key", "others' bucket",
)  # fmt: skip
HEAD = """# S3 clients at the park's door

What unmodified clients do, each a process of its own against a served park, told an address, a key and a region alone.
Written by `python -m tests.helpers.s3_table`; `tests/contract/test_s3_clients.py` does the same in every suite
and compares. An empty field: the client has no such operation, or it is not tried with it.

"""


def run_all(scene: S3Scene) -> dict[str, list[str]]:
    """What each client that is there does, all at once: the operations that went as they should."""
    started = {
        name: scene.start([sys.executable, str(STEPS / words[0]), *words[1:]], name)
        for name, words in CLIENTS.items()
        if name != "rclone" or shutil.which("rclone")
    }
    ended = {name: (*process.communicate(timeout=250), process.returncode) for name, process in started.items()}
    for name, (said, complaints, code) in ended.items():
        assert code == 0, (name, said.splitlines()[-1:], complaints[-3000:])
    return {name: said.splitlines() for name, (said, _, _) in ended.items()}


def rows_of(found: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The table: a row for each operation, a column for each client."""
    assert {step for steps in found.values() for step in steps} <= set(OPERATIONS)
    return [[one, *("yes" if one in steps else "" for steps in found.values())] for one in OPERATIONS]


def page_of(found: Mapping[str, Sequence[str]], versions: Mapping[str, str]) -> str:
    """The page."""
    names = [f"{name} {versions[name]}" for name in found]
    lines = [["", *names], ["---"] * (len(names) + 1), *rows_of(found)]
    return HEAD + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def rows_on_page(names: Sequence[str]) -> list[list[str]]:
    """The table as the page has it, of these clients alone."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    columns = [0, *(next(at for at, cell in enumerate(cells[0]) if cell.split(" ")[0] == name) for name in names)]
    return [[row[at] for at in columns] for row in cells[2:]]


def main() -> None:
    """Write the page."""
    scene = S3Scene(Path(tempfile.mkdtemp()))
    found = run_all(scene)
    scene.stop()
    packages = {"aws": "awscli"}
    versions = {name: version(packages.get(name, name)) for name in found if name != "rclone"}
    if "rclone" in found:
        said = subprocess.run(["rclone", "version"], capture_output=True, text=True, check=True).stdout
        versions["rclone"] = said.split()[1].removeprefix("v").partition("-")[0]
    PAGE.write_text(page_of(found, versions))


if __name__ == "__main__":
    main()
