"""Python environments from PEP 508 dependencies, by the uv of the park's own set-up: cached per project, wheels only.

No code of a package runs while an environment is made: source packages are refused. Projects never share a writable
cache.
"""

# Plain strings and os calls: a supervisor starts in milliseconds, and pathlib is felt there.
# ruff: noqa: PTH103, PTH120, PTH123

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from eureka_park.adapters.engines.local.places import read_json, write_json
from eureka_park.foundation.errors import BadInput, Unavailable
from eureka_park.sandbox.kernel import sync_file_system

RunStep = Callable[[Sequence[str], Mapping[str, str]], tuple[int, str]]  # argv, env -> exit code, what it said
Wait = Callable[[float], None]  # waits that many seconds; raises to give up

_LOCK_WAIT_S: Final = 0.1
_N_LINES: Final = 6
_PASSED_ON: Final = ("UV_", "PIP_", "SSL_", "REQUESTS_", "CURL_")
_PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_FROM_PIP: Final = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
}
_SPECIFIER: Final = re.compile(r"\s*(~=|==|!=|<=|>=|<|>)\s*(\d+(?:\.\d+)*)(\.\*)?\s*")


@dataclass(frozen=True, slots=True)
class Environment:
    """A ready environment: the interpreter to call and the folders it needs to read."""

    python: str
    folder: str | None  # None for the plain base interpreter


def base_python() -> str:
    """The interpreter that the park's own virtual environment was made from."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


def base_folders() -> tuple[str, ...]:
    """The folders the base interpreter needs, without those of the system."""
    prefixes = {sys.base_prefix, os.path.realpath(sys.base_prefix), os.path.dirname(os.path.dirname(base_python()))}
    return tuple(sorted(prefix for prefix in prefixes if prefix != "/" and not f"{prefix}/".startswith("/usr/")))


def environment_key(dependencies: Sequence[str], requires_python: str) -> str:
    """The same needs on the same interpreter and machine type give the same key."""
    needs = [sorted(" ".join(one.split()) for one in dependencies), requires_python.strip()]
    makers = [sys.version, platform.machine(), platform.libc_ver()]
    return hashlib.sha256(json.dumps([needs, makers]).encode()).hexdigest()[:24]


def check_python(requires_python: str, version: tuple[int, ...] = sys.version_info[:3]) -> None:
    """Raises BadInput when this park's Python does not satisfy a specifier such as `>=3.11,<3.14`."""
    for part in filter(None, (word.strip() for word in requires_python.split(","))):
        match = _SPECIFIER.fullmatch(part)
        if not match:
            raise BadInput(
                f"'{part}' is not a Python version rule.",
                fix="Write it as >=3.11 or >=3.11,<3.14.",
                code="bad_requires_python",
            )
        if not _satisfies(version, match[1], tuple(int(word) for word in match[2].split(".")), bool(match[3])):
            have = ".".join(map(str, version))
            fix = "Relax requires-python, or run the park with a Python that satisfies it."
            raise BadInput(
                f"The job needs Python {requires_python}, this park has {have}.", fix=fix, code="python_not_available"
            )


def _satisfies(version: tuple[int, ...], sign: str, wanted: tuple[int, ...], is_prefix: bool) -> bool:
    width = max(len(version), len(wanted))
    have, want = (one + (0,) * (width - len(one)) for one in (version, wanted))
    if sign == "~=":
        return have >= want and version[: len(wanted) - 1] == wanted[:-1]
    if sign in ("==", "!="):
        same = version[: len(wanted)] == wanted if is_prefix else have == want
        return same == (sign == "==")
    return {"<": have < want, ">": have > want, "<=": have <= want, ">=": have >= want}[sign]


def check_dependencies(dependencies: Sequence[str]) -> None:
    """Raises BadInput for what is not a plain requirement: an option of the installer, a path, or an address
    other than https."""
    for one in dependencies:
        address = one.partition("@")[2].strip() if re.match(r"[^;]*\s@|[^;\[]*\]?@", one) else ""
        if not re.match(r"[A-Za-z0-9]", one) or not one.isprintable() or re.match(r"[\w.-]*/", one):
            raise BadInput(
                f"'{one}' is not a dependency.", fix="Write it as in PEP 508, such as numpy>=2.", code="bad_dependency"
            )
        if address and not address.startswith("https://"):
            fix = "Name a version of the package index, or a wheel at an https address."
            raise BadInput(f"'{one}' points to a place that jobs may not install from.", fix=fix, code="bad_dependency")


def ensure_environment(
    envs: str, project: str, dependencies: Sequence[str], requires_python: str, run: RunStep, wait: Wait
) -> Environment:
    """The environment for these needs: from the cache, or made now. `run` runs uv, `wait` waits for another maker.

    Raises BadInput when the needs cannot be satisfied (with uv's last lines) and Unavailable when uv is missing.
    """
    check_python(requires_python)
    if not dependencies:
        return Environment(base_python(), None)
    check_dependencies(dependencies)
    own = f"{envs}/{_folder_of(project)}"
    folder = f"{own}/{environment_key(dependencies, requires_python)}"
    ready = Environment(f"{folder}/bin/python", folder)
    if is_ready(folder):
        return ready
    os.makedirs(own, mode=0o755, exist_ok=True)
    with open(f"{folder}.lock", "w") as lock:
        _take(lock.fileno(), wait)
        if not is_ready(folder):
            _make(folder, f"{own}/.uv-cache", dependencies, run)
    return ready


def is_ready(folder: str) -> bool:
    """Whether an environment was finished."""
    return read_json(f"{folder}/park-ready.json") is not None


def _folder_of(project: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", project)
    return plain if plain == project else f"{plain}.{hashlib.sha256(project.encode()).hexdigest()[:8]}"


def _take(lock_fd: int, wait: Wait) -> None:
    while True:
        try:
            fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            wait(_LOCK_WAIT_S)


def _make(folder: str, cache: str, dependencies: Sequence[str], run: RunStep) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    uv, env = uv_program(), {**uv_settings(), "UV_CACHE_DIR": cache}
    _step(
        run,
        [uv, "venv", "--quiet", "--no-project", "--relocatable", "--python", base_python(), folder],
        env,
    )
    install = [
        uv,
        "pip",
        "install",
        "--no-config",
        "--no-progress",
        "--no-build",
        "--python",
        f"{folder}/bin/python",
        "--",
    ]
    _step(run, [*install, *dependencies], env)
    sync_file_system(folder)
    write_json(f"{folder}/park-ready.json", {"dependencies": list(dependencies)}, durable=True)


def _step(run: RunStep, argv: Sequence[str], env: Mapping[str, str]) -> None:
    code, said = run(argv, env)
    if code != 0:
        last = " ".join(line.strip() for line in said.strip().splitlines()[-_N_LINES:])
        raise BadInput(
            f"The environment could not be made: {last or f'uv ended with {code}'}",
            fix="Change the dependencies, or check that the package index can be reached; only wheels are installed.",
            code="environment_failed",
        )


def uv_program() -> str:
    """The uv of the park's own set-up, else the first on the PATH. Raises Unavailable when there is none."""
    try:
        import uv

        return os.fspath(uv.find_uv_bin())
    except (ImportError, FileNotFoundError):
        if found := shutil.which("uv"):
            return found
    raise Unavailable(
        "uv is not installed beside the park.", fix="Run ./park again, or install eureka-park[server].", code="no_uv"
    )


def uv_settings(outer: Mapping[str, str] | None = None) -> dict[str, str]:
    """The park's own settings of the package index, handed on to uv; those of pip count where
    uv has none of its own."""
    source = os.environ if outer is None else outer
    kept = {n: v for n, v in source.items() if n.startswith(_PASSED_ON) or n.lower() in _PROXIES}
    for name, uv_name in _FROM_PIP.items():
        if name in kept:
            kept.setdefault(uv_name, kept[name])
    kept.update(
        {
            "PATH": source.get("PATH", "/usr/bin:/bin"),
            "HOME": source.get("HOME", "/"),
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
        }
    )
    kept.update({"UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"})
    return kept
