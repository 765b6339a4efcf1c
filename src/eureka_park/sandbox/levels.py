"""Levels of isolation, from none to a container with kernel limits. They are ordered: a higher level keeps every
promise of a lower one."""

from __future__ import annotations

from enum import IntEnum

from eureka_park.foundation.errors import BadInput


class Level(IntEnum):
    """How well a command is kept apart from the machine and from other tenants."""

    NONE = 0  # a plain process with rlimits
    LANDLOCK = 1  # the kernel refuses files outside and TCP; rlimits; no new privileges
    CONTAINER = 2  # own mounts, processes and network (bubblewrap); rlimits
    CONTAINER_CGROUP = 3  # the same, and memory, processes and CPU limited by the kernel

    @property
    def word(self) -> str:
        """The plain word of pages, reports and options, such as `container-cgroup`."""
        return self.name.lower().replace("_", "-")

    @classmethod
    def from_word(cls, word: str) -> Level:
        """The level a word names. Raises BadInput with the known words."""
        for level in cls:
            if level.word == word:
                return level
        known = ", ".join(level.word for level in reversed(cls))
        raise BadInput(f"'{word}' is not a sandbox level.", fix=f"Use one of {known}.", code="bad_sandbox_level")


UNTRUSTED_MIN = Level.CONTAINER  # below it, a stranger's job could read other tenants' files or reach local services
