"""The line that pages show beside a form: the real `park submit` reads the same request from it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.client.small_park import TOKEN, SmallPark, job_view, running

from eureka_park.client.command_line import request_of, submit_line
from eureka_park.client.fields import checked

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
WORD = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)
FIRST = WORD.filter(lambda word: bool(word.strip()))
NUMBER = st.floats(1e-6, 1e6) | st.integers(1, 4096)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "tier": st.sampled_from(["firm", "flex", "green"]),
    "class": st.sampled_from(["batch", "interactive", "service"]),
    "project": TEXT,
    "name": TEXT,
    "cpus": NUMBER,
    "gpus": st.integers(0, 64),
    "memory": st.integers(1, 2**44) | st.sampled_from(["2GiB", "512m"]),
    "time": NUMBER | st.sampled_from(["90s", "1h30m"]),
    "by": st.sampled_from(["2h", "2026-11-22T18:00:00Z"]),
    "array": st.integers(1, 1000),
    "after": st.lists(TEXT, min_size=1, max_size=3),
    "checkpoint": st.booleans(),
    "env": st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True), WORD, min_size=1, max_size=3),
    "dependencies": st.lists(st.sampled_from(["numpy>=2", "torch", "a[b]; python_version<'3.13'"]), min_size=1),
    "requires_python": st.sampled_from([">=3.11", ">=3.11,<3.14"]),
    "priority": st.integers(-1000, 1000),
    "nodes": st.integers(1, 4096),
    "gpu_type": TEXT,
    "min_gpus": st.integers(1, 64),
    "min_nodes": st.integers(1, 64),
    "kw": st.floats(1e-6, 1e5),
}
OPTIONS = st.fixed_dictionaries({}, optional=FIELDS)
COMMANDS = st.builds(lambda first, rest: {"command": [first, *rest]}, FIRST, st.lists(WORD, max_size=4))
SCRIPTS = st.builds(
    lambda script, args: {"script": script, "args": args},
    st.sampled_from(["train.py", "sub/train.py", "-odd.py", "a b.py"]),
    st.lists(WORD, max_size=4),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SmallPark, Path]]:
    folder = tmp_path_factory.mktemp("here")
    (folder / "sub").mkdir()
    for name in ("train.py", "sub/train.py", "-odd.py", "a b.py"):
        (folder / name).write_text("")
    with running(SmallPark()) as small:
        yield small, folder


def as_read(request: dict[str, Any]) -> dict[str, Any]:
    """A request with its values as the client sends them, and the name that a script gives a job by itself."""
    found = {name: checked(name, value) if name in FIELDS else value for name, value in request.items()}
    return {"name": Path(request["script"]).name, **found} if "script" in request else found


def read_back(small: SmallPark, folder: Path, line: str) -> dict[str, Any]:
    from eureka_park.cli.main import cli

    words = shlex.split(line)
    assert words[:2] == ["park", "submit"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PARK_URL", small.url)
        patch.setenv("PARK_TOKEN", TOKEN)
        patch.chdir(folder)
        result = CliRunner().invoke(cli, words[1:], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    body = small.bodies.pop()
    body.pop("snapshot_id", None)
    return body


@settings(max_examples=60, deadline=None)
@given(options=OPTIONS, work=COMMANDS | SCRIPTS)
def test_the_real_command_reads_the_same_request(
    place: tuple[SmallPark, Path], options: dict[str, Any], work: dict[str, Any]
) -> None:
    request = {**options, **work}
    assert read_back(*place, submit_line(request)) == as_read(request)


def test_a_line_is_what_a_person_would_type() -> None:
    request = {"script": "train.py", "args": ["--epochs", "40"], "name": "train.py", "tier": "green", "cpus": 2.0}
    assert submit_line({**request, "memory": 2**31, "time": 5400.0, "by": None, "env": {}}) == (
        "park submit --tier green --cpus 2 --memory 2GiB --time 90m train.py -- --epochs 40"
    )
    assert submit_line({"command": ["echo", "it's"]}) == """park submit -- echo 'it'"'"'s'"""


def test_a_folder_is_named_where_it_is_needed() -> None:
    assert submit_line({"script": "sub/a.py"}) == "park submit --dir . sub/a.py"
    assert submit_line({"command": ["make"], "snapshot_id": "snap-1"}) == "park submit --dir . -- make"
    assert submit_line({"script": "a.py", "snapshot_id": "snap-1"}, "work") == "park submit --dir work a.py"


def test_a_job_again() -> None:
    view = job_view(command=["python", "train.py", "-v"], name="train.py")
    assert submit_line(request_of(view)) == "park submit --tier flex --cpus 1 --memory 1GiB --time 1h train.py -- -v"
    changes = {"class": "service", "priority": -2, "n_tasks": 4, "checkpoint": True, "gpus": 1, "project": "mine"}
    view = job_view(command=["sh", "a.sh"], name="nightly", **changes)
    assert submit_line(request_of(view)) == (
        "park submit --tier flex --class service --project mine --name nightly --cpus 1 --gpus 1 --memory 1GiB "
        "--time 1h --array 4 --checkpoint --priority=-2 -- sh a.sh"
    )
    gang = {"gpus": 24, "nodes": 3, "min_nodes": 1, "gpu_type": "H100", "kw": 28.5, "cpus": 224.0, "checkpoint": True}
    assert submit_line(request_of(job_view(command=["sh", "a.sh"], name="nightly", **gang))) == (
        "park submit --tier flex --name nightly --cpus 224 --gpus 24 --nodes 3 --gpu-type H100 --min-nodes 1 "
        "--memory 1GiB --time 1h --checkpoint --kw 28.5 -- sh a.sh"
    )
