"""Levels, users, limits and the command line of bubblewrap."""

from __future__ import annotations

import os
import resource

import pytest

from eureka_park.foundation.errors import BadInput
from eureka_park.sandbox.box import USER_ID_BASE, USER_ID_COUNT, Bind, Box, Limits, user_id_of
from eureka_park.sandbox.bubblewrap import box_options, inner_command, is_loader_variable
from eureka_park.sandbox.detect import Sandbox, detect
from eureka_park.sandbox.levels import Level
from eureka_park.sandbox.limits import apply_limits

# Python 3.12 warns of any fork beside threads, which a test runner may have; these children only call the kernel.
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def test_words_and_order() -> None:
    assert [level.word for level in Level] == ["none", "landlock", "container", "container-cgroup"]
    assert Level.from_word("container-cgroup") == Level.CONTAINER_CGROUP > Level.CONTAINER > Level.LANDLOCK > Level.NONE
    with pytest.raises(BadInput, match="jail"):
        Level.from_word("jail")


def test_users_are_stable_and_unprivileged() -> None:
    assert user_id_of("welcome") == user_id_of("welcome") != user_id_of("other")
    assert all(USER_ID_BASE <= user_id_of(f"p{n}") < USER_ID_BASE + USER_ID_COUNT for n in range(200))


def box(**more: object) -> Box:
    settings: dict[str, object] = {"command": ("python", "x.py"), "env": {"A": "1", "LD_PRELOAD": "/evil.so"}}
    return Box(**(settings | more))  # type: ignore[arg-type]


def test_loader_variables_are_set_after_privileges_are_gone() -> None:
    options = box_options(box(), is_root=True, passwd_files={})
    assert "LD_PRELOAD" not in options and options[options.index("A") + 1] == "1"
    words = inner_command(box(user_id=586_001), setpriv="/usr/bin/setpriv")
    assert words.index("LD_PRELOAD=/evil.so") > words.index("--bounding-set=-all")
    assert words[-2:] == ["python", "x.py"]
    assert (
        is_loader_variable("LD_LIBRARY_PATH")
        and is_loader_variable("GLIBC_TUNABLES")
        and not is_loader_variable("PATH")
    )


def test_everything_is_unshared_and_only_what_is_given_is_writable() -> None:
    binds = (Bind("/h/work", "/job/work", is_writable=True), Bind("/h/env", "/job/env"))
    options = box_options(
        box(binds=binds, devices=("/dev/nvidia0",), folder="/job/work"), is_root=False, passwd_files={}
    )
    text = " ".join(options)
    for word in (
        "--unshare-pid",
        "--unshare-net",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-user",
        "--die-with-parent",
    ):
        assert word in options
    assert "--bind /h/work /job/work" in text and "--ro-bind /h/env /job/env" in text
    assert options.count("--bind") == 1 and "--dev-bind-try /dev/nvidia0 /dev/nvidia0" in text
    assert "--perms 0755 --dir /job" in text and text.endswith("--chdir /job/work")
    assert "--cap-add" not in options


def test_root_keeps_only_what_switching_the_user_needs() -> None:
    options = box_options(box(), is_root=True, passwd_files={"/etc/passwd": "/h/passwd"})
    assert [options[i + 1] for i, word in enumerate(options) if word == "--cap-add"] == [
        "CAP_SETUID",
        "CAP_SETGID",
        "CAP_SETPCAP",
    ]
    assert "--unshare-user" not in options and "--ro-bind /h/passwd /etc/passwd" in " ".join(options)


def test_limits_are_lowered_for_good() -> None:
    pid = os.fork()
    if pid == 0:
        apply_limits(Limits(memory_bytes=10_000_000, n_processes=50), limit_memory=True)
        found = [
            resource.getrlimit(kind)[1] for kind in (resource.RLIMIT_DATA, resource.RLIMIT_NPROC, resource.RLIMIT_CORE)
        ]
        os._exit(0 if found == [10_000_000, 50, 0] else 1)
    assert os.waitpid(pid, 0)[1] == 0


def test_detection_says_why_not() -> None:
    found = detect("unit", Level.NONE)
    assert found.level == Level.NONE and set(found.why_not) == {"landlock", "container", "container-cgroup"}
    assert Sandbox.from_json(found.to_json()) == found
    assert found.user_id(586_001) is None


def test_detection_without_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eureka_park.sandbox.detect.shutil.which", lambda *_, **__: None)
    found = detect("unit")
    assert found.level <= Level.LANDLOCK
    assert (
        "bubblewrap" in found.why_not["container"]
        and found.why_not["container-cgroup"] == "it needs the level container"
    )
