"""A job request as the line a person would type: pages show it beside their form and under "do it again"."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any, Final

from eureka_park.foundation.units import DAY_S, GIB, HOUR_S, MIB

_USUAL_PROJECT: Final = "welcome"


def submit_line(request: Mapping[str, Any], folder: str | None = None) -> str:
    """The `park submit` line of a request as `POST /api/v1/jobs` takes it, quoted for a POSIX shell.

    `folder` is the folder to send along (`.` where the request needs one and none is named). What is None or empty is
    left out; a name that the command gives by itself too.
    """
    script = request.get("script")
    words = ["park", "submit"]
    for name, written in _OPTIONS.items():
        value = request.get(name)
        if value not in (None, "") and not (name == "name" and _is_own_name(value, script)):
            words += written(value)
    sent = folder or request.get("dir") or ("." if _needs_folder(request, script) else None)
    words += _option("--dir", sent) if sent else []
    if script is None:
        return shlex.join([*words, "--", *(request.get("command") or ())])
    args = list(request.get("args") or ())
    return shlex.join([*words, _as_word(script), *(["--", *args] if args else [])])


def request_of(job: Mapping[str, Any]) -> dict[str, Any]:
    """The request that submits a job like this one anew, from its view; its deadline is past and its folder unknown."""
    command = list(job["command"])
    is_script = len(command) > 1 and command[0] == "python" and command[1].endswith(".py")
    work = {"script": command[1], "args": command[2:]} if is_script else {"command": command}
    return {
        "tier": job["tier"],
        "class": _unless(job["class"], "batch"),
        "project": _unless(job["project"], _USUAL_PROJECT),
        "name": None if job["name"] in {PurePosixPath(word).name[:64] for word in command} else job["name"],
        "cpus": job["cpus"],
        "gpus": _unless(job["gpus"], 0),
        "memory": job["memory_bytes"],
        "nodes": _unless(job.get("nodes", 1), 1),
        "gpu_type": job.get("gpu_type") or None,
        "min_nodes": job.get("min_nodes") or None,
        "kw": job.get("kw"),
        "time": job["time_s"],
        "array": job.get("n_tasks"),
        "after": [name for name in job.get("after") or [] if name],
        "checkpoint": job["checkpoint"] or None,
        "priority": _unless(job.get("priority"), 0),
        "inputs": [one["address"] for one in job.get("inputs") or [] if one["address"]] or None,
        "outputs": [one["address"] for one in job.get("outputs") or [] if one["address"]] or None,
        "output_always": job.get("output_always") or None,
        **work,
    }


def _unless(value: Any, usual: Any) -> Any:
    return None if value == usual else value


def _is_own_name(name: str, script: str | None) -> bool:
    return script is not None and name == PurePosixPath(script).name


def _needs_folder(request: Mapping[str, Any], script: str | None) -> bool:
    return "/" in script if script is not None else bool(request.get("snapshot_id"))


def _as_word(script: str) -> str:
    return f"./{script}" if script.startswith("-") else script


def _option(name: str, value: object) -> list[str]:
    text = str(value)
    return [f"{name}={text}"] if text.startswith("-") else [name, text]


def _one(name: str, shown: Callable[[Any], str] = str) -> Callable[[Any], list[str]]:
    return lambda value: _option(name, shown(value))


def _each(name: str) -> Callable[[Iterable[str]], list[str]]:
    return lambda values: [word for value in values for word in _option(name, value)]


def _number(value: float) -> str:
    text = format(Decimal(str(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _memory(value: str | int) -> str:
    if isinstance(value, str):
        return value
    for unit, size in (("GiB", GIB), ("MiB", MIB), ("KiB", 1024)):
        if value and value % size == 0:
            return f"{value // size}{unit}"
    return str(value)


def _time(value: str | float) -> str:
    if isinstance(value, str):
        return value
    for unit, size in (("d", DAY_S), ("h", HOUR_S), ("m", 60)):
        if value and value % size == 0:
            return f"{int(value // size)}{unit}"
    return f"{_number(value)}s"


# A line names its options in this order, whatever the order of the request.
_OPTIONS: Final[Mapping[str, Callable[[Any], list[str]]]] = {
    "tier": _one("--tier"),
    "class": _one("--class"),
    "project": _one("--project"),
    "name": _one("--name"),
    "cpus": _one("--cpus", _number),
    "gpus": _one("--gpus"),
    "nodes": _one("--nodes"),
    "gpu_type": _one("--gpu-type"),
    "min_gpus": _one("--min-gpus"),
    "min_nodes": _one("--min-nodes"),
    "memory": _one("--memory", _memory),
    "time": _one("--time", _time),
    "by": _one("--by"),
    "array": _one("--array"),
    "after": _each("--after"),
    "checkpoint": lambda value: ["--checkpoint" if value else "--no-checkpoint"],
    "env": lambda table: [word for name, text in table.items() for word in _option("--env", f"{name}={text}")],
    "dependencies": _each("--with"),
    "requires_python": _one("--python"),
    "priority": _one("--priority"),
    "kw": _one("--kw", _number),
    "inputs": _each("--input"),
    "outputs": _each("--output"),
    "output_always": lambda value: ["--output-always"] if value else [],
}
