"""Job files: every mistake is told with file, line, field and the nearest field that exists."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_park.client.fields import FIELDS
from eureka_park.client.job_file import parse_job_file, read_job_file
from eureka_park.foundation.errors import BadInput, NotFound

PATH = Path("jobs/job.toml")


def test_every_field_is_read() -> None:
    text = """
script = "train.py"
args = ["--epochs", "4"]
dir = "."
name = "digits"
project = "welcome"
tier = "green"
class = "batch"
cpus = 0.5
gpus = 1
memory = "2GiB"
time = "1h30m"
by = "2026-11-22T18:00:00Z"
array = "1e3"
after = ["job-a"]
checkpoint = true
dependencies = ["numpy"]
requires_python = ">=3.11"
priority = -1
nodes = 2
gpu_type = "H100"
min_gpus = 8
min_nodes = 1
kw = 20.4
inputs = ["park://datasets/lab/rows@v1/raw:rows"]
outputs = ["models/lab/net:made"]
output_always = true
[env]
A = "1"
"""
    file = parse_job_file(text, PATH)
    assert file.script == Path("jobs/train.py")
    assert file.folder == Path("jobs")
    assert file.args == ("--epochs", "4")
    assert file.fields["time"] == 5400.0
    assert file.fields["memory"] == 2 * 2**30
    assert file.fields["array"] == 1000
    assert file.fields["env"] == {"A": "1"}
    assert set(file.fields) == set(FIELDS) - {"script", "command", "args", "dir"}


def test_command_file() -> None:
    file = parse_job_file('command = ["make", "all"]', PATH)
    assert (file.command, file.script, file.folder) == (("make", "all"), None, None)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('script = "a.py"\n\ncpu = 1\n', 3, "Did you mean 'cpus'"),
        ('script = "a.py"\ndeadline = "2h"\n', 2, "Did you mean 'by'"),
        ('script = "a.py"\n[environment]\nA = "1"\n', 2, "Did you mean 'env'"),
        ('script = "a.py"\nzzzzzz = 1\n', 2, "Known fields"),
        ('script = "a.py"\ncpus = "many"\n', 2, "'cpus' must be a number"),
        ('script = "a.py"\ncpus = -1\n', 2, "greater than 0"),
        ('script = "a.py"\ngpus = 1.5\n', 2, "whole number"),
        ('script = "a.py"\nmemory = "-2GiB"\n', 2, "not a size"),
        ('script = "a.py"\nmemory = -2\n', 2, "'memory' must be a size greater than 0"),
        ('script = "a.py"\nmemory = 0\n', 2, "greater than 0"),
        ('script = "a.py"\ntime = "fast"\n', 2, "not a duration"),
        ('script = "a.py"\ntier = "gren"\n', 2, "Did you mean 'green'"),
        ('script = "a.py"\ncheckpoint = "yes"\n', 2, "true or false"),
        ('script = "a.py"\nenv = { A = 1 }\n', 2, "A must be text"),
        ('script = "a.py"\n# env = 1\n[env]\n"A-B" = "1"\n', 3, "no program can read"),
        ('script = "a.py"\nby = "yesterday"\n', 2, "neither a duration nor an instant"),
        ('script = "a.py"\nby = 2026-11-22\n', 2, "must be text"),
        ('script = "a.py"\nafter = "job-a"\n', 2, "list of texts"),
        ('script = 3\n', 1, "must be text"),
        ('cpus = 1\n', 1, "neither 'script' nor 'command'"),
        ('script = "a"\ncommand = ["b"]\n', 2, "both 'script' and 'command'"),
        ('command = ["b"]\nargs = ["c"]\n', 2, "'args' goes with 'script'"),
        ("\ncommand = []\n", 2, "'command' is empty"),
        ('script = ""\n', 1, "'script' is empty"),
        ('script = "a.py"\ncpus = \n', 2, "not TOML"),
        ('script = "a.py"\ncpus = 1\ncpus = 2\n', 3, "not TOML"),
        ('script = "a.py', 1, "not TOML"),
    ],
)  # fmt: skip
def test_mistakes(text: str, line: int, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_job_file(text, PATH)
    assert caught.value.message.startswith(f"{PATH}, line {line}: ")
    assert words in caught.value.line()
    assert "\n" not in caught.value.line()


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no job file"):
        read_job_file(tmp_path / "gone.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff")
    with pytest.raises(BadInput, match="UTF-8"):
        read_job_file(tmp_path / "bad.toml")
    with pytest.raises(BadInput, match="cannot be read"):
        read_job_file(tmp_path)
