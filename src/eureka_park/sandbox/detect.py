"""Which level of isolation this machine gives: each is really tried once, from the lowest up; the
caller keeps the answer."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from eureka_park.foundation.units import MIB
from eureka_park.sandbox import landlock
from eureka_park.sandbox.box import USER_ID_BASE, Box, Limits
from eureka_park.sandbox.cgroups import Cgroup, CgroupPlace, find_place
from eureka_park.sandbox.launch import Tools, launch, wait_for
from eureka_park.sandbox.levels import Level

_TRIAL_WAIT_S: Final = 20.0
_TRIAL_GROUP: Final = "trial"
_FORBIDDEN: Final = "! cat /etc/passwd >/dev/null 2>&1"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What this machine can do: the level reached, why each higher one was not, and what launching needs."""

    level: Level
    why_not: Mapping[str, str] = field(default_factory=dict)
    tools: Tools = field(default_factory=Tools)
    place: CgroupPlace | None = None

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value; `from_json` reads it back."""
        place = self.place.to_json() if self.place else None
        return {"level": self.level.word, "why_not": dict(self.why_not), "tools": self.tools.to_json(), "place": place}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Sandbox:
        """Read what `to_json` wrote."""
        place = CgroupPlace(**value["place"]) if value["place"] else None
        return cls(Level.from_word(value["level"]), dict(value["why_not"]), Tools(**value["tools"]), place)

    def user_id(self, wanted: int) -> int | None:
        """The user to switch to: the wanted one in a container started by root, else none."""
        return wanted if self.level >= Level.CONTAINER and os.geteuid() == 0 else None


def detect(key: str, ceiling: Level = Level.CONTAINER_CGROUP) -> Sandbox:
    """Try every level up to `ceiling`. `key` names the park's own place for control groups. Never raises:
    reasons are in `why_not`."""
    why_not: dict[str, str] = {}
    tools = Tools(_program("bwrap"), _program("setpriv"), landlock.abi())
    level = Level.NONE
    place: CgroupPlace | None = None
    for wanted in (Level.LANDLOCK, Level.CONTAINER, Level.CONTAINER_CGROUP):
        if wanted > ceiling:
            why_not[wanted.word] = f"the park was told to use {ceiling.word} at most"
            continue
        if wanted == Level.CONTAINER_CGROUP and level < Level.CONTAINER:
            why_not[wanted.word] = "it needs the level container"
            continue
        try:
            if wanted == Level.CONTAINER_CGROUP:
                place = find_place(f"eureka-park-{key}")
                place.make()
            _try(wanted, tools, place)
            level = wanted
        except PermissionError as error:
            why_not[wanted.word] = f"this user may not: {error.strerror} ({error.filename})"
        except OSError as error:
            why_not[wanted.word] = str(error)
    if level < Level.CONTAINER_CGROUP:
        place = None
    return Sandbox(
        level, {word: reason for word, reason in why_not.items() if Level.from_word(word) > level}, tools, place
    )


def _program(name: str) -> str:
    found = shutil.which(name, path="/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
    return os.path.realpath(found) if found else ""


def _try(level: Level, tools: Tools, place: CgroupPlace | None) -> None:
    """Run a trivial command at a level; OSError with the reason when it does not work."""
    is_root = os.geteuid() == 0
    if level == Level.LANDLOCK and tools.landlock_abi < 1:
        raise OSError("this kernel has no Landlock")
    if level >= Level.CONTAINER and not tools.bwrap:
        raise OSError("bubblewrap (bwrap) is not installed")
    if level >= Level.CONTAINER and is_root and not tools.setpriv:
        raise OSError("setpriv (of util-linux), which switches the user, is not installed")
    limits = Limits(memory_bytes=64 * MIB, n_cpus=1.0)
    user_id = USER_ID_BASE if level >= Level.CONTAINER and is_root else None
    box = Box(("/bin/sh", "-c", _FORBIDDEN), {"PATH": "/usr/bin:/bin"}, limits=limits, user_id=user_id)
    group = place.group(f"{_TRIAL_GROUP}-{os.getpid()}") if place and level == Level.CONTAINER_CGROUP else None
    try:
        if group:
            group.make()
            group.limit(limits)
        _run_trial(box, level, tools, group)
    finally:
        if group:
            group.remove()


def _run_trial(box: Box, level: Level, tools: Tools, group: Cgroup | None) -> None:
    said_fd, log_fd = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    launched = launch(box, level, tools, log_fd=log_fd, cgroup=group)
    os.close(log_fd)
    try:
        status = wait_for(launched, _TRIAL_WAIT_S)
        if status is None:
            launched.kill()
            wait_for(launched, 1.0)
            raise OSError("a trial command did not end")
        if status != 0:
            said = ""
            with contextlib.suppress(OSError):
                said = os.read(said_fd, 4096).decode(errors="replace").strip()
            raise OSError(
                said.splitlines()[-1] if said else f"a trial command ended with {os.waitstatus_to_exitcode(status)}"
            )
        if group and group.cpu_s() <= 0.0:
            raise OSError("the control groups do not count CPU time")
    finally:
        os.close(said_fd)
        launched.close()
