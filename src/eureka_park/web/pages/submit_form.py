"""The form of /submit: what a person typed, as text, and the job request that it means.

Every mistake in the form of a field is found here, all at once; what a job may ask for is checked by compute.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from eureka_park.client.command_line import request_of, submit_line
from eureka_park.client.scripts import ScriptHeader, parse_header
from eureka_park.compute.core.job_check import TIME_MAX_S
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import DAY_S, GIB, HOUR_S, MIB, parse_bytes, parse_duration_s, parse_when_s
from eureka_park.web.pages.forms import Form

SCRIPT_BYTES_MAX: Final = 256 * 1024
_USUAL: Final[Mapping[str, Any]] = {"cpus": 1.0, "gpus": 0, "array": 1, "priority": 0}


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form; the names are those of its fields."""

    kind: str = "script"
    script: str = ""
    file: str = "job.py"
    args: str = ""
    command: str = ""
    snapshot: str = ""
    name: str = ""
    project: str = ""
    tier: str = "flex"
    job_class: str = "batch"
    cpus: str = "1"
    memory: str = "1GiB"
    gpus: str = ""
    gpu_type: str = ""
    nodes: str = ""
    min_nodes: str = ""
    kw: str = ""
    priority: str = ""
    time: str = "1h"
    by: str = ""
    array: str = ""
    after: str = ""
    packages: str = ""
    inputs: str = ""
    outputs: str = ""
    checkpoint: bool = False
    output_always: bool = False
    template: str = ""
    key: str = ""

    @property
    def is_script(self) -> bool:
        """Whether a script is to run, rather than a command."""
        return self.kind != "command"


_SENT_AS: Final[Mapping[str, str]] = {"job_class": "class"}
_TICKED: Final = ("checkpoint", "output_always")
TEXTS: Final = tuple(item.name for item in fields(Typed) if item.name not in _TICKED)


def typed_of(form: Form) -> Typed:
    """What was sent; a box that was not ticked is not sent at all."""
    usual = Typed()
    given: dict[str, Any] = {name: form.one(_SENT_AS.get(name, name), getattr(usual, name)) for name in TEXTS}
    for name in TEXTS:
        given[name] = given[name] if name == "script" else given[name].strip()
    given |= {name: form.has(name) for name in _TICKED}
    return Typed(**given)


def typed_from(template: Mapping[str, Any], key: str, pace_factor: float = 1.0) -> Typed:
    """The form as a template fills it. Run time is park time and work is not: a faster clock is given as much more."""
    given = {("job_class" if name == "class" else name): value for name, value in template.items()}
    if pace_factor > 1:
        time_s = min(TIME_MAX_S, parse_duration_s(given["time"]) * pace_factor)
        given["time"] = _duration_text(time_s)
        if "by" in given:
            given["by"] = _duration_text(max(parse_duration_s(given["by"]), 2 * time_s))
    return Typed(**given, template=key)


def typed_like(job: Mapping[str, Any], script: str | None, snapshot: str) -> Typed:
    """The form filled in like an earlier job; its script where it is known, else its command."""
    request, command = request_of(job), list(job["command"])
    if script is not None:
        work = {"kind": "script", "script": script, "file": command[1], "args": shlex.join(command[2:])}
    else:
        work = {"kind": "command", "command": shlex.join(command)}
    return Typed(
        **work,
        snapshot=snapshot,
        name=request["name"] or "",
        project=job["project"],
        tier=job["tier"],
        job_class=job["class"],
        cpus=f"{job['cpus']:g}",
        gpus=str(job["gpus"]) if job["gpus"] else "",
        gpu_type=job["gpu_type"],
        nodes=str(job["nodes"]) if job["nodes"] > 1 else "",
        min_nodes=str(job["min_nodes"] or ""),
        kw="" if job["kw"] is None else f"{job['kw']:g}",
        priority=str(job["priority"] or ""),
        memory=_size_text(job["memory_bytes"]),
        time=_duration_text(job["time_s"]),
        array=str(job["n_tasks"] or ""),
        after=" ".join(filter(None, job["after"])),
        checkpoint=bool(job["checkpoint"]),
        inputs=" ".join(request["inputs"] or ()),
        outputs=" ".join(request["outputs"] or ()),
        output_always=bool(request["output_always"]),
    )


def request_from(typed: Typed, now_s: float) -> tuple[dict[str, Any], dict[str, BadInput]]:
    """The job request that the form means, and by field what cannot be read. A script stands in it by its file name."""
    found: dict[str, Any] = {"tier": typed.tier, "class": typed.job_class, "checkpoint": typed.checkpoint}
    found |= {"output_always": True} if typed.output_always else {}
    wrong: dict[str, BadInput] = {}
    for name, read in _READERS.items():
        text = str(getattr(typed, name))
        if not text:
            continue
        try:
            found[name] = read(text)
        except BadInput as error:
            error.field = name
            wrong[name] = error
    if "by" in found:
        _try(wrong, "by", lambda: parse_when_s(typed.by, now_s))
    _try(wrong, "script" if typed.is_script else "command", lambda: found.update(_work(typed)))
    return {name: value for name, value in found.items() if value != _USUAL.get(name, "")}, wrong


def _try(wrong: dict[str, BadInput], field: str, do: Callable[[], Any]) -> None:
    try:
        do()
    except BadInput as error:
        error.field = error.field if error.field in TEXTS else field
        wrong[error.field or field] = error


def quotable(request: Mapping[str, Any]) -> dict[str, Any]:
    """The request without its files, which a price does not depend on."""
    script = request.get("script")
    if script is None:
        return dict(request)
    rest = {name: value for name, value in request.items() if name not in {"script", "args"}}
    starter = ["python", script] if script.endswith(".py") else ["sh", script]
    return {**rest, "command": [*starter, *request.get("args", ())]}


def line_of(request: Mapping[str, Any]) -> str:
    """The line that sends the same from a terminal."""
    shown = dict(request)
    for name, usual in (("class", "batch"), ("project", "welcome"), ("checkpoint", False)):
        if shown.get(name) == usual:
            del shown[name]
    if shown.get("script"):
        for name in ("dependencies", "requires_python"):  # the script's own header says them
            shown.pop(name, None)
    return submit_line(shown)


def header_of(typed: Typed) -> ScriptHeader:
    """What the script's header names. Raises BadInput with `field` script."""
    if not (typed.is_script and typed.file.endswith(".py")):
        return ScriptHeader()
    try:
        return parse_header(typed.script, typed.file)
    except BadInput as error:
        error.field = "script"
        raise


def _work(typed: Typed) -> dict[str, Any]:
    if not typed.is_script:
        command = _split(typed.command, "command")
        if not command:
            raise BadInput(
                "There is no command to run.",
                fix="Write one, such as: echo hello",
                code="nothing_to_run",
                field="command",
            )
        extra = {"snapshot_id": typed.snapshot} if typed.snapshot else {}
        packages = typed.packages.split()
        return {"command": command, **extra, **({"dependencies": packages} if packages else {})}
    if not typed.script.strip():
        raise BadInput(
            "There is no script yet.", fix="Paste one, or begin with a template.", code="nothing_to_run", field="script"
        )
    if len(typed.script.encode("utf-8", "replace")) > SCRIPT_BYTES_MAX:
        raise BadInput("The script is larger than 256 KiB.", fix="Send it with park submit.", field="script")
    if not typed.file.endswith((".py", ".sh")):
        raise BadInput(
            f"'{typed.file}' is neither a .py nor a .sh file.", fix="Name it job.py or job.sh.", field="file"
        )
    header = header_of(typed)
    found: dict[str, Any] = {"script": typed.file, "args": _split(typed.args, "args")}
    if header.dependencies:
        found["dependencies"] = list(header.dependencies)
    if header.requires_python:
        found["requires_python"] = header.requires_python
    return {name: value for name, value in found.items() if value}


def _split(text: str, field: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        raise BadInput("A quotation mark is never closed.", fix="Close it.", code="open_quote", field=field) from None


def _decimal(text: str) -> float:
    """A number as people write it: 0.5, 0,5 and ٠٫٥ are one half."""
    try:
        value = float(text.replace(",", ".").replace("٫", "."))
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value <= 0:
        raise BadInput(f"'{text}' is not a number above zero.", fix="Write 1, 0.5 or 4.", code="bad_number")
    return value


def _whole(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise BadInput(f"'{text}' is not a whole number.", fix="Write a whole number such as 4.", code="bad_count")
    return value


def _signed(text: str) -> int:
    return -_whole(text[1:]) if text[:1] in {"-", "−"} else _whole(text)


def _memory(text: str) -> str:
    parse_bytes(text)
    return text


def _time(text: str) -> str:
    parse_duration_s(text)
    return text


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "name": str,
    "project": str,
    "cpus": _decimal,
    "gpus": _whole,
    "gpu_type": str,
    "nodes": _whole,
    "min_nodes": _whole,
    "kw": _decimal,
    "priority": _signed,
    "memory": _memory,
    "time": _time,
    "by": str,
    "array": _whole,
    "after": lambda text: text.replace(",", " ").split(),
    "inputs": str.split,
    "outputs": str.split,
}


def _size_text(size_bytes: int) -> str:
    if size_bytes % GIB == 0:
        return f"{size_bytes // GIB}GiB"
    return f"{size_bytes // MIB}MiB" if size_bytes % MIB == 0 else str(size_bytes)


def _duration_text(time_s: float) -> str:
    for unit, size in (("d", DAY_S), ("h", HOUR_S), ("m", 60)):
        if time_s >= size and time_s % size == 0:
            return f"{time_s / size:g}{unit}"
    return f"{time_s:g}s"


def with_key(typed: Typed, key: str) -> Typed:
    """The form with the key that makes a double click one job."""
    return replace(typed, key=typed.key or key)
