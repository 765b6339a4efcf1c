"""The form of /submit: what it means as a request, and the whole way round: request, form, request."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.client.scripts import parse_header
from eureka_park.foundation.errors import BadInput, TooLarge
from eureka_park.web.pages.forms import Form, parse_form
from eureka_park.web.pages.job_templates import NAMES, templates
from eureka_park.web.pages.submit_form import (
    Typed,
    line_of,
    quotable,
    request_from,
    typed_from,
    typed_like,
    typed_of,
)

NOW_S = 1_795_348_800.0
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)


def asked(**typed: Any) -> dict[str, Any]:
    found, wrong = request_from(Typed(**{"script": "print(1)", **typed}), NOW_S)
    assert not wrong, wrong
    return found


def test_usual_values_are_left_to_the_park() -> None:
    assert asked() == {
        "tier": "flex", "class": "batch", "checkpoint": False, "script": "job.py", "memory": "1GiB", "time": "1h"
    }  # fmt: skip


@pytest.mark.parametrize("text", ["0.5", "0,5", "٠٫٥", " 0.5 "])
def test_a_decimal_in_any_hand(text: str) -> None:
    assert asked(cpus=text.strip())["cpus"] == 0.5


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "two", "1e999", "1,000.5"])
def test_no_number_of_cpus(text: str) -> None:
    _, wrong = request_from(Typed(script="print(1)", cpus=text), NOW_S)
    assert wrong["cpus"].code == "bad_number" and wrong["cpus"].field == "cpus"


def test_a_header_is_read() -> None:
    script = '# /// script\n# requires-python = ">=3.11"\n# dependencies = ["numpy>=2"]\n# ///\nprint(1)\n'
    found = asked(script=script, file="a.py", args="--x 'b c'")
    assert found["dependencies"] == ["numpy>=2"] and found["requires_python"] == ">=3.11"
    assert found["args"] == ["--x", "b c"]
    assert quotable(found)["command"] == ["python", "a.py", "--x", "b c"] and "script" not in quotable(found)
    assert "numpy" not in line_of(found) and "a.py -- --x 'b c'" in line_of(found)
    assert asked(script=script, file="a.sh") | {"script": "a.py"} == asked() | {"script": "a.py"}, "sh reads no header"


@given(st.lists(WORDS, min_size=1, max_size=5).filter(lambda words: bool(words[0])))
def test_a_command_keeps_its_words(words: list[str]) -> None:
    found = asked(kind="command", command=shlex.join(words))
    assert found["command"] == words
    assert shlex.split(line_of(found))[-len(words) :] == words


@given(WORDS, st.booleans())
def test_a_form_is_read_as_it_was_sent(text: str, checkpoint: bool) -> None:
    fields = {"script": f"a\r\nb{text}", "name": text, "class": "service"} | (
        {"checkpoint": "on"} if checkpoint else {}
    )
    typed = typed_of(parse_form(urlencode(fields).encode()))
    assert typed.script == f"a\nb{text}" and typed.name == text.strip()
    assert typed.job_class == "service" and typed.checkpoint is checkpoint


def test_a_form_has_limits() -> None:
    with pytest.raises(BadInput):
        parse_form(b"&".join(b"a=%d" % n for n in range(3000)))
    assert parse_form(b"a=1&a=2&b").all("a") == ["1", "2"] and parse_form(b"b").has("b")
    assert Form().one("x", "usual") == "usual" and issubclass(TooLarge, BadInput)


@pytest.mark.parametrize("key", NAMES)
def test_templates_name_fields_of_the_form(key: str) -> None:
    typed = typed_from(templates()[key], key)
    found, wrong = request_from(typed, NOW_S)
    assert not wrong and found["tier"] == typed.tier
    assert tuple(NAMES) == tuple(templates())


def test_a_faster_clock_gets_more_park_time() -> None:
    template = templates()["packages"]
    assert (typed_from(template, "x").time, typed_from(template, "x").by) == ("20m", "12h")
    paced = typed_from(template, "x", 60.0)
    assert (paced.time, paced.by) == ("20h", "40h")
    assert typed_from(template, "x", 1e9).time == "30d", "no longer than a job may declare"


@pytest.mark.parametrize("key", ["hello", "sweep", "training"])
def test_scripts_of_templates_run(key: str, tmp_path: Path) -> None:
    template = templates()[key]
    script = tmp_path / template["file"]
    script.write_text(template["script"])
    assert not parse_header(template["script"]).dependencies
    env = {
        **os.environ,
        "PARK_OUTPUT_DIR": str(tmp_path),
        "PARK_CHECKPOINT_DIR": str(tmp_path),
        "PARK_ARRAY_INDEX": "3",
    }
    done = subprocess.run([sys.executable, script], env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and done.stdout and not done.stderr
    assert [path for path in tmp_path.iterdir() if path.name not in {template["file"], "state.json"}]


def test_the_training_stops_when_asked_and_goes_on(tmp_path: Path) -> None:
    template = templates()["training"]
    script = tmp_path / "train.py"
    script.write_text(template["script"])
    env = {**os.environ, "PARK_OUTPUT_DIR": str(tmp_path), "PARK_CHECKPOINT_DIR": str(tmp_path)}
    first = subprocess.Popen([sys.executable, script], env=env, stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    first.stdout.readline()
    first.terminate()
    assert first.wait(30) == 75
    first.stdout.close()
    epoch = json.loads((tmp_path / "state.json").read_text())["epoch"]
    assert 0 < epoch < 400
    done = subprocess.run([sys.executable, script], env=env, capture_output=True, text=True, timeout=120, check=True)
    assert f"epoch {epoch // 20 * 20 + 20:3d}" in done.stdout.splitlines()[0]
    assert json.loads((tmp_path / "model.json").read_text())["epoch"] == 400


def test_a_job_fills_the_form_and_the_form_means_the_same_job() -> None:
    job = {
        "command": ["python", "train.py", "--n", "a b"], "name": "train.py", "project": "welcome", "tier": "green",
        "class": "batch", "cpus": 0.25, "gpus": 0, "memory_bytes": 512 * 1024**2, "time_s": 5400.0, "n_tasks": 4,
        "after": ["job-a", "job-b"], "checkpoint": True, "priority": 0,
        "nodes": 1, "min_nodes": 0, "gpu_type": "", "kw": None,
    }  # fmt: skip
    found = asked(**{n: getattr(typed_like(job, "print(1)", "snap-x"), n) for n in Typed.__slots__})
    assert found == {
        "script": "train.py", "args": ["--n", "a b"], "project": "welcome", "tier": "green", "class": "batch",
        "cpus": 0.25, "memory": "512MiB", "time": "90m", "array": 4, "after": ["job-a", "job-b"], "checkpoint": True,
    }  # fmt: skip
    typed = typed_like(job, None, "")
    assert not typed.is_script and typed.command == "python train.py --n 'a b'"


def test_a_gang_fills_the_form() -> None:
    job = {
        "command": ["sh", "a.sh"], "name": "a.sh", "project": "welcome", "tier": "firm", "class": "batch",
        "cpus": 224.0, "gpus": 24, "memory_bytes": 2 * 1024**4, "time_s": 3600.0, "n_tasks": None, "after": [],
        "checkpoint": True, "priority": -3, "nodes": 3, "min_nodes": 1, "gpu_type": "H100", "kw": 28.5,
    }  # fmt: skip
    found = asked(**{n: getattr(typed_like(job, "echo", "snap-x"), n) for n in Typed.__slots__})
    gang = {"gpus": 24, "nodes": 3, "min_nodes": 1, "gpu_type": "H100", "kw": 28.5, "priority": -3}
    assert {name: found[name] for name in gang} == gang
    assert "--gpus 24 --nodes 3 --gpu-type H100 --min-nodes 1" in line_of(found)


@pytest.mark.parametrize("text", ["1.5", "--1", "-", "high"])
def test_no_priority(text: str) -> None:
    _, wrong = request_from(Typed(script="print(1)", priority=text), NOW_S)
    assert wrong["priority"].code == "bad_count"


def test_the_file_of_templates_is_toml() -> None:
    path = Path(sys.modules["eureka_park.web.pages.job_templates"].__file__ or "").parents[1] / "job_templates.toml"
    assert len(tomllib.loads(path.read_text())["templates"]) == len(NAMES)
