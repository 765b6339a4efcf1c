"""Files of several jobs: their order, their references to each other, and mistakes with file, line and fix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.client.batch_file import BatchJob, parse_job_or_batch
from eureka_park.client.job_file import JobFile
from eureka_park.foundation.errors import BadInput

PATH = Path("jobs/all.toml")
TWO = """# a chain, the last first
[[jobs]]
key = "train"
script = "train.py"
after = ["prepare", "job-earlier"]
[jobs.env]
A = "1"

[[jobs]]
key = "prepare"
command = ["make"]
"""


def batch(text: str) -> tuple[BatchJob, ...]:
    found = parse_job_or_batch(text, PATH)
    assert isinstance(found, tuple)
    return found


def test_jobs_come_behind_those_they_run_after() -> None:
    first, second = batch(TWO)
    assert (first.key, first.file.command) == ("prepare", ("make",))
    assert second.file.script == Path("jobs/train.py") and second.file.fields["env"] == {"A": "1"}
    assert second.file.fields["after"] == ["prepare", "job-earlier"]


def test_a_file_of_one_job_is_still_one() -> None:
    found = parse_job_or_batch('command = ["make"]', PATH)
    assert isinstance(found, JobFile) and found.command == ("make",)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (TWO.replace('["make"]', '["make"]\nafter = ["train"]'), 5, "each other: train -> prepare -> train"),
        (TWO.replace('"prepare", ', '"train", '), 5, "train -> train"),
        (TWO.replace('["prepare", ', '["prepair", '), 5, "Did you mean 'prepare'?"),
        (TWO.replace('key = "prepare"', 'key = "train"'), 10, "'train' is there twice"),
        (TWO.replace('key = "prepare"', ""), 9, "a job has no 'key'"),
        (TWO.replace('key = "prepare"', 'key = "job-1"'), 10, "no usable 'key'"),
        (TWO.replace('["make"]', '["make"]\ncpu = 1'), 12, "Did you mean 'cpus'?"),
        (TWO.replace('A = "1"', "A = 1"), 6, "A must be text"),
        ("tier = 'firm'\n" + TWO, 1, "'tier' stands outside the jobs"),
        ("jobs = 3\n", 1, "'jobs' is not a list"),
        ("jobs = []\n", 1, "Write [[jobs]]"),
        ("jobs = [{ command = ['a'] }]\n", 1, "no 'key'"),
        ("[[jobs]]\nkey = 'a'\n", 1, "neither 'script' nor 'command'"),
    ],
)  # fmt: skip
def test_mistakes(text: str, line: int, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_job_or_batch(text, PATH)
    assert caught.value.message.startswith(f"{PATH}, line {line}: "), caught.value.message
    assert words in caught.value.line() and "\n" not in caught.value.line()


def test_there_is_a_limit() -> None:
    with pytest.raises(BadInput, match="too many at once"):
        batch("\n".join(f'[[jobs]]\nkey = "k{n}"\ncommand = ["a"]' for n in range(1001)))


@given(st.lists(st.lists(st.integers(0, 9), max_size=3), min_size=1, max_size=10))
def test_any_graph_without_a_cycle_is_put_in_order(picks: list[list[int]]) -> None:
    names = [f"k{n}" for n in range(len(picks))]
    after = {name: sorted({names[p] for p in pick if p > at and p < len(names)}) for at, (name, pick) in
             enumerate(zip(names, picks, strict=True))}  # fmt: skip
    text = "\n".join(f'[[jobs]]\nkey = "{name}"\ncommand = ["a"]\nafter = {firsts}' for name, firsts in after.items())
    seen: set[Any] = set()
    for job in batch(text):
        assert set(after[job.key]) <= seen, "each behind all that it runs after"
        seen.add(job.key)
    assert seen == set(names)
