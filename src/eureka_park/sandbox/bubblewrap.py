"""The command line of bubblewrap (bwrap) for one box: what is shown, where, and as whom the command runs.

As root no user namespace is made: bwrap keeps just enough capabilities for setpriv, which switches to the project's
user and drops them all before the command starts. Otherwise bwrap makes a user namespace and the command runs as the
park's own user.
"""

# Plain strings and os calls: a supervisor starts in milliseconds, and pathlib is felt there.
# ruff: noqa: PTH110, PTH112, PTH114, PTH115, PTH120

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Final

from eureka_park.sandbox.box import Bind, Box

SYSTEM_FOLDERS: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
ETC_FILES: Final = (
    "/etc/ld.so.cache",
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/etc/localtime",
    "/etc/alternatives",
    "/etc/nsswitch.conf",
)
_SETPRIV_CAPS: Final = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")
# Read by the loader or the C library of setpriv itself, which still has capabilities: set only after it has dropped
# them.
_LOADER_PREFIXES: Final = ("LD_", "GLIBC_", "GCONV_", "MALLOC_", "LOCPATH", "NLSPATH", "TEXTDOMAIN")


def system_binds() -> tuple[list[Bind], list[tuple[str, str]]]:
    """The machine's programs and libraries, read-only, as binds and as (target, link) where the machine has links."""
    binds: list[Bind] = []
    links: list[tuple[str, str]] = []
    for folder in SYSTEM_FOLDERS:
        if os.path.islink(folder):
            links.append((os.readlink(folder), folder))
        elif os.path.isdir(folder):
            binds.append(Bind(folder, folder))
    binds += [Bind(path, path) for path in ETC_FILES if os.path.exists(path)]
    return binds, links


def box_options(box: Box, *, is_root: bool, passwd_files: Mapping[str, str]) -> list[str]:
    """The options of bwrap for a box; `passwd_files` maps places such as /etc/passwd to the stub files shown there."""
    binds, links = system_binds()
    options = [
        "--die-with-parent",
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-uts",
        "--unshare-cgroup-try",
    ]
    options += ["--hostname", "park", "--clearenv"]
    if is_root:
        options += ["--cap-drop", "ALL", *(word for cap in _SETPRIV_CAPS for word in ("--cap-add", cap))]
    else:
        options += ["--unshare-user"]
    for target, link in links:
        options += ["--symlink", target, link]
    for folder in _parents(
        [*binds, *box.binds, *(Bind(source, place) for place, source in passwd_files.items())], ["/etc"]
    ):
        options += ["--perms", "0755", "--dir", folder]
    for bind in binds:
        options += ["--ro-bind", bind.source, bind.place]
    for place, source in passwd_files.items():
        options += ["--ro-bind", source, place]
    options += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/dev/shm"]
    for device in box.devices:
        options += ["--dev-bind-try", device, device]
    if box.devices:
        options += ["--ro-bind-try", "/sys", "/sys"]  # GPU libraries look their devices up there
    for bind in box.binds:
        options += ["--bind" if bind.is_writable else "--ro-bind", bind.source, bind.place]
    for name, value in box.env.items():
        if not is_loader_variable(name):
            options += ["--setenv", name, value]
    return [*options, "--remount-ro", "/", "--chdir", box.folder]


def is_loader_variable(name: str) -> bool:
    """Whether a variable could make a program load code of the job's choice before privileges are dropped."""
    return name.startswith(_LOADER_PREFIXES)


def inner_command(box: Box, *, setpriv: str) -> list[str]:
    """The command behind bwrap's `--`: through setpriv when a user is given, through env for the loader's variables."""
    words = list(box.command)
    if late := [f"{name}={value}" for name, value in box.env.items() if is_loader_variable(name)]:
        words = ["/usr/bin/env", *late, *words]
    if box.user_id is not None:
        user = str(box.user_id)
        switch = [
            "--reuid",
            user,
            "--regid",
            user,
            "--clear-groups",
            "--inh-caps=-all",
            "--bounding-set=-all",
            "--no-new-privs",
        ]
        words = [setpriv, *switch, "--", *words]
    return words


def _parents(binds: Iterable[Bind], also: Iterable[str]) -> list[str]:
    """Every folder above the places, outermost first: bwrap would make them readable by root alone."""
    found = set(also)
    for bind in binds:
        folder = os.path.dirname(bind.place)
        while folder not in ("/", "") and folder not in found:
            found.add(folder)
            folder = os.path.dirname(folder)
    shown = {bind.place for bind in binds}
    return sorted(
        folder for folder in found if folder not in shown and not folder.startswith(("/usr/", "/dev", "/proc"))
    )
