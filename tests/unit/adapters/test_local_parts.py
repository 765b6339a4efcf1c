"""The parts of the local engine that need no process: endings, environments, commands, staging, claims."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from eureka_park.adapters.engines.local import environments as env
from eureka_park.adapters.engines.local import gpus
from eureka_park.adapters.engines.local.commands import Command, add_command, numbered, read_command
from eureka_park.adapters.engines.local.endings import ending_of
from eureka_park.adapters.engines.local.engine import abilities_of
from eureka_park.adapters.engines.local.places import Attempt, claim, read_json
from eureka_park.adapters.engines.local.staging import lay_out
from eureka_park.adapters.meters import nvml
from eureka_park.foundation.errors import BadInput, Unavailable
from eureka_park.foundation.machine import GpuFacts
from eureka_park.foundation.wire.engine import Capability, Outcome, StagedFile
from eureka_park.sandbox.cgroups import CgroupPlace
from eureka_park.sandbox.detect import Sandbox
from eureka_park.sandbox.launch import Tools
from eureka_park.sandbox.levels import Level


def exited(code: int) -> int:
    return code << 8


@pytest.mark.parametrize(
    ("status", "asked", "outcome", "code", "number"),
    [
        (exited(0), "", Outcome.FINISHED, 0, None),
        (exited(0), "pause", Outcome.FINISHED, 0, None),
        (exited(0), "cancel", Outcome.CANCELLED, 0, None),
        (exited(75), "pause", Outcome.PAUSED, 75, None),
        (exited(75), "", Outcome.FAILED, 75, None),
        (exited(3), "pause", Outcome.FAILED, 3, None),
        (exited(143), "pause", Outcome.PAUSED, 143, None),
        (exited(137), "pause", Outcome.PAUSED, 137, None),
        (exited(139), "pause", Outcome.FAILED, 139, None),
        (15, "pause", Outcome.PAUSED, None, 15),
        (9, "pause", Outcome.PAUSED, None, 9),
        (9, "", Outcome.FAILED, None, 9),
        (9, "cancel", Outcome.CANCELLED, None, 9),
        (11, "pause", Outcome.FAILED, None, 11),
    ],
)
def test_endings(status: int, asked: str, outcome: Outcome, code: int | None, number: int | None) -> None:
    ending = ending_of(status, asked=asked, in_container=False)
    assert (ending.outcome, ending.exit_code, ending.exit_signal) == (outcome, code, number)


def test_a_container_says_128_and_the_signal() -> None:
    ending = ending_of(exited(137), asked="pause", in_container=True)
    assert (ending.outcome, ending.exit_code, ending.exit_signal) == (Outcome.PAUSED, None, 9)
    assert ending_of(exited(200), asked="", in_container=True).exit_code == 200


def test_running_out_of_memory_is_a_failure_with_words() -> None:
    ending = ending_of(9, asked="pause", in_container=False, ran_out_of_memory=True)
    assert ending.outcome == Outcome.FAILED and "memory" in ending.detail
    assert ending_of(exited(0), asked="", in_container=False, ran_out_of_memory=True).outcome == Outcome.FINISHED


@pytest.mark.parametrize("has_gpus", [False, True])
def test_only_machines_without_gpus_offer_caps(has_gpus: bool) -> None:
    grouped = Sandbox(Level.CONTAINER_CGROUP, {}, Tools("/usr/bin/bwrap"), CgroupPlace({"unified": "/x"}))
    found = abilities_of(grouped, has_gpus=has_gpus)
    assert (Capability.CAP in found, Capability.GPU in found) == (not has_gpus, has_gpus)
    assert {Capability.FREEZE, Capability.CHECKPOINT, Capability.MEMORY_LIMIT, Capability.GANG} <= found


def test_gpus_tell_what_a_job_used_and_what_of_it_was_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    now = {"j": 5000.0, "s": 100.0}
    cards = (GpuFacts("NVIDIA H200", 700.0, 80.0, 1), GpuFacts("NVIDIA L4", 72.0, 7.0, 1))
    monkeypatch.setattr(nvml, "find_gpus", lambda: cards)
    monkeypatch.setattr(gpus, "energy_j", lambda _indices: now["j"])
    monkeypatch.setattr(time, "monotonic", lambda: now["s"])
    begun = gpus.begin((0, 1))
    now.update(j=12_000.0, s=110.0)
    assert gpus.used(gpus.end(begun, (0, 1))) == (7000.0, 870.0)
    now.update(j=3.0, s=1.0)  # the machine was started again
    assert gpus.used(gpus.end(begun, (0, 1))) == (0.0, 0.0)
    assert gpus.used({"start_j": 1.0, "end_j": 4.0}) == (3.0, 0.0)  # as noted before idle power was
    assert gpus.used(begun) == (None, 0.0)


def test_a_claim_is_made_once_and_whole(tmp_path: Path) -> None:
    path = str(tmp_path / "claim")
    assert claim(path, {"pid": 1}) and not claim(path, {"pid": 2})
    assert read_json(path) == {"pid": 1} and [one.name for one in tmp_path.iterdir()] == ["claim"]


def test_commands_are_numbered_and_not_repeated(tmp_path: Path) -> None:
    folder = str(tmp_path / "commands")
    assert numbered(folder) == []
    for verb in ("freeze", "freeze", "thaw", "freeze", "cancel", "cancel"):
        add_command(folder, Command(verb))
    add_command(folder, Command("freeze"))
    found = [read_command(folder, number) for number in numbered(folder)]
    assert [command.verb for command in found if command] == ["freeze", "thaw", "freeze", "cancel"]


def test_array_tasks_have_folders_of_their_own() -> None:
    attempt = Attempt("/home", "job-x[3]", 2)
    assert attempt.folder == "/home/jobs/job-x.3/attempts/2" and attempt.group_name == "job-x.3.2"


def test_laying_out_happens_once(tmp_path: Path) -> None:
    (tmp_path / "blob").write_text("one")
    (tmp_path / "job" / "work").mkdir(parents=True)
    files = [StagedFile("a/b.txt", str(tmp_path / "blob"))]
    lay_out(str(tmp_path / "job"), files, None, lambda: None)
    target = tmp_path / "job" / "work" / "a" / "b.txt"
    target.write_text("two")
    lay_out(str(tmp_path / "job"), files, None, lambda: None)
    assert target.read_text() == "two"


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", "", "a\0b"])
def test_paths_stay_inside(tmp_path: Path, path: str) -> None:
    (tmp_path / "blob").write_text("one")
    with pytest.raises(BadInput):
        lay_out(str(tmp_path), [StagedFile(path, str(tmp_path / "blob"))], None, lambda: None)


def test_environment_keys() -> None:
    assert env.environment_key(["b", "a>=1"], "") == env.environment_key(["a>=1", "b"], "")
    assert (
        env.environment_key(["a"], "") != env.environment_key(["a"], ">=3.11") != env.environment_key(["b"], ">=3.11")
    )


@pytest.mark.parametrize(
    ("rule", "is_met"),
    [
        ("", True), (">=3.11", True), (">=3.11,<3.14", True), ("==3.12.*", True), ("==3.12", False), ("~=3.11", True),
        ("!=3.12.*", False), ("<3.12", False), (">3.12.4", False), ("<=3.12.4", True), ("~=3.12.5", False),
        (" >= 3.9 ", True),
    ],
)  # fmt: skip
def test_python_rules(rule: str, is_met: bool) -> None:
    if is_met:
        env.check_python(rule, (3, 12, 4))
    else:
        with pytest.raises(BadInput) as caught:
            env.check_python(rule, (3, 12, 4))
        assert caught.value.code == "python_not_available" and caught.value.fix


def test_a_rule_that_cannot_be_read() -> None:
    with pytest.raises(BadInput, match="python3"):
        env.check_python("python3")


@pytest.mark.parametrize(
    "good",
    [
        "numpy",
        "numpy>=2",
        "scikit-learn[x]~=1.5; python_version > '3'",
        "a @ https://host/a-1-py3-none-any.whl",
        "a_b.c==1",
    ],
)
def test_plain_requirements_pass(good: str) -> None:
    env.check_dependencies([good])


@pytest.mark.parametrize(
    "bad",
    ["-r /etc/passwd", "--index-url=http://x", "./folder", "/root/a.whl", "a @ file:///root/a.whl", "a@git+ssh://h/a",
     "a[x] @ http://h/a.whl", "a\n--pre", "", "sub/folder"],
)  # fmt: skip
def test_other_things_are_refused(bad: str) -> None:
    with pytest.raises(BadInput):
        env.check_dependencies([bad])


class Uv:
    """A stand-in for uv: makes what it is told to make, or fails."""

    def __init__(self, *codes: int) -> None:
        self.codes = list(codes)
        self.calls: list[tuple[Sequence[str], Mapping[str, str]]] = []

    def __call__(self, argv: Sequence[str], settings: Mapping[str, str]) -> tuple[int, str]:
        self.calls.append((argv, settings))
        if argv[1] == "venv":
            Path(argv[-1], "bin").mkdir(parents=True)
        return self.codes.pop(0), "line 1\n  error: no such thing\n"


def ensure(tmp_path: Path, uv: Uv, project: str = "welcome") -> env.Environment:
    return env.ensure_environment(str(tmp_path), project, ["idna"], "", uv, lambda _: None)


def test_an_environment_is_made_once_per_project(tmp_path: Path) -> None:
    uv = Uv(0, 0, 0, 0)
    first = ensure(tmp_path, uv)
    assert ensure(tmp_path, uv) == first and len(uv.calls) == 2
    other = ensure(tmp_path, uv, "other")
    assert other != first
    caches = {settings["UV_CACHE_DIR"] for _, settings in uv.calls}
    assert len(caches) == 2 and all(str(tmp_path) in cache for cache in caches)
    assert "--no-build" in uv.calls[1][0] and uv.calls[1][0][-2:] == ["--", "idna"]


def test_a_half_built_environment_is_built_again(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such thing") as caught:
        ensure(tmp_path, Uv(0, 1))
    assert "\n" not in caught.value.message
    assert env.is_ready(ensure(tmp_path, Uv(0, 0)).folder or "")


def test_index_settings_are_handed_on() -> None:
    outer = {
        "PIP_INDEX_URL": "https://i",
        "UV_INDEX": "https://u",
        "PIP_EXTRA_INDEX_URL": "https://e",
        "HTTPS_PROXY": "p",
        "X": "1",
    }
    found = env.uv_settings(outer)
    assert found["UV_DEFAULT_INDEX"] == "https://i" and found["UV_INDEX"] == "https://u" and found["HTTPS_PROXY"] == "p"
    assert "X" not in found and found["UV_PYTHON_DOWNLOADS"] == "never"


def test_without_uv_the_fix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uv.find_uv_bin", lambda: (_ for _ in ()).throw(FileNotFoundError()))
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(Unavailable) as caught:
        env.uv_program()
    assert caught.value.fix
