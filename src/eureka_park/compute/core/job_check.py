"""Reading a job's declaration: every field checked, every refusal with the place and what would be right."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from eureka_park.compute.core.job import JobClass, JobOutput, JobSpec, Tier
from eureka_park.compute.core.site_room import Fit, Need, SiteRoom, fit
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.park_uri import InputUri, read_inputs, read_outputs
from eureka_park.foundation.units import DAY_S, HOUR_S, MIB, duration_text, parse_bytes, parse_duration_s, parse_when_s

TIME_DEFAULT_S: Final = float(HOUR_S)
TIME_MAX_S: Final = 30.0 * DAY_S
DEADLINE_MAX_S: Final = 366.0 * DAY_S
TASKS_MAX: Final = 100_000
COUNT_MAX: Final = 1_000_000
TEXT_MAX: Final = 4096
LABEL_MAX: Final = 100
LABELS_MAX: Final = 50
DATA_MAX: Final = 50  # inputs, and outputs, of one job
FIELDS: Final = (
    "command", "script", "args", "snapshot_id", "name", "project", "tier", "class", "cpus", "gpus", "memory",
    "time", "by",
    "array", "after", "checkpoint", "env", "secrets", "labels", "dependencies", "requires_python", "priority",
    "nodes", "gpu_type", "min_gpus", "min_nodes", "kw", "inputs", "outputs", "output_always",
)  # fmt: skip
_ENV_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REQUIREMENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9,._ -]*\])?\s*(@\s*\S+|[<>=!~][^;]*)?(;.*)?")


def check_request(request: Mapping[str, Any], now_s: float, room: SiteRoom) -> JobSpec:
    """Turn a declaration (the API's JobRequest) into a JobSpec. Raises BadInput with `field` for the first thing
    wrong.
    """
    for name in request:
        if name not in FIELDS:
            near = get_close_matches(name, FIELDS, 1)
            fix = f"Did you mean '{near[0]}'?" if near else f"Known fields: {', '.join(FIELDS)}."
            raise BadInput(f"'{name}' is not a field of a job.", fix=fix, field=name, code="unknown_field")
    command, uses_python = _command(request)
    deadline_s = _deadline(request.get("by"), now_s)
    time_s = _time(request.get("time"), deadline_s, now_s)
    n_tasks = _whole(request, "array", 1, low=1, high=TASKS_MAX)
    place = fit(room, _need(request))
    return JobSpec(
        project=_text(request, "project", "welcome"),
        name=_text(request, "name", "") or _name_from(command),
        command=command,
        uses_python=uses_python,
        snapshot_id=request.get("snapshot_id") or None,
        tier=_choice(request, "tier", Tier, Tier.FLEX),
        job_class=_choice(request, "class", JobClass, JobClass.BATCH),
        n_gpus=place.n_gpus,
        n_cpus=place.n_cpus,
        memory_bytes=place.memory_bytes,
        time_s=time_s,
        deadline_s=deadline_s,
        n_tasks=n_tasks,
        is_array="array" in request and request["array"] is not None and n_tasks > 1,
        after=tuple(JobId(item) for item in _words(request, "after")),
        checkpoint=_flag(request, "checkpoint"),
        env=_env(request.get("env"), "env"),
        secrets=_env(request.get("secrets"), "secrets"),
        labels=_labels(request.get("labels")),
        dependencies=_dependencies(request),
        requires_python=_text(request, "requires_python", ""),
        priority=_whole(request, "priority", 0, low=-1000, high=1000),
        n_nodes=place.n_nodes,
        n_nodes_min=place.n_nodes_min,
        gpu_type=place.gpu_type,
        declared_kw=_declared_kw(request, place),
        outputs=_outputs(request),
        output_always=_flag(request, "output_always"),
    )


def check_script(spec: JobSpec, files: Collection[str]) -> None:
    """Raise BadInput (`missing_script`) where a command starts a script of the folder that the folder does not hold."""
    script = spec.command[1] if spec.command[0] in {"python", "sh"} and len(spec.command) > 1 else spec.command[0]
    name = script.removeprefix("./")
    is_ours = script.startswith("./") or name.endswith((".py", ".sh"))
    if is_ours and not script.startswith("/") and name not in files:
        raise BadInput(
            f"The script '{name}' is not in the folder that was sent.",
            fix="Name a path inside the folder.",
            field="script",
            code="missing_script",
        )


def inputs_of(request: Mapping[str, Any]) -> list[InputUri]:
    """The data that a declaration asks for; whoever may look at repositories finds the versions. Raises BadInput."""
    found = read_inputs(_words(request, "inputs"))
    if len(found) > DATA_MAX:
        raise BadInput(f"A job takes {DATA_MAX} inputs.", fix="Name fewer.", field="inputs")
    return found


def _outputs(request: Mapping[str, Any]) -> tuple[JobOutput, ...]:
    found = read_outputs(_words(request, "outputs"))
    if len(found) > DATA_MAX:
        raise BadInput(f"A job takes {DATA_MAX} outputs.", fix="Name fewer.", field="outputs")
    return tuple(JobOutput(one.kind, one.project, one.name, one.folder) for one in found)


def _need(request: Mapping[str, Any]) -> Need:
    return Need(
        n_gpus=_whole(request, "gpus", 0, low=0, high=COUNT_MAX),
        n_nodes=_count(request, "nodes"),
        gpu_type=_text(request, "gpu_type", ""),
        n_cpus=None if request.get("cpus") is None else _number(request, "cpus", 1.0),
        memory_bytes=_memory(request.get("memory")),
        n_gpus_min=_count(request, "min_gpus"),
        n_nodes_min=_count(request, "min_nodes"),
        is_resumable=_flag(request, "checkpoint"),
    )


def _count(request: Mapping[str, Any], field: str) -> int | None:
    return None if request.get(field) is None else _whole(request, field, 1, low=1, high=COUNT_MAX)


def _declared_kw(request: Mapping[str, Any], place: Fit) -> float | None:
    if request.get("kw") is None:
        return None
    declared_kw = _number(request, "kw", 1.0)
    if declared_kw > place.kw_max:
        raise BadInput(
            f"It declares {declared_kw:g} kW; its {'node draws' if place.n_nodes == 1 else 'nodes draw'} "
            f"{place.kw_max:.6g} kW at most.",
            fix="Declare less, or leave kw out.",
            field="kw",
            code="more_power_than_nodes",
        )
    return declared_kw


def _command(request: Mapping[str, Any]) -> tuple[tuple[str, ...], bool]:
    script, command = request.get("script"), request.get("command")
    if bool(script) == bool(command):
        raise BadInput("A job needs either a command or a script.", fix="Give exactly one of the two.", field="command")
    if not script:
        words = _words(request, "command")
        return words, words[0] == "python"
    if not isinstance(script, str) or len(script) > TEXT_MAX:
        raise BadInput("The script must be a path.", fix="Name a file of the snapshot.", field="script")
    if not request.get("snapshot_id"):
        raise BadInput(
            "A script travels with a snapshot.", fix="Send its folder first and give snapshot_id.", field="snapshot_id"
        )
    args = _words(request, "args")
    if script.endswith(".py"):
        return ("python", script, *args), True
    return (("sh", script, *args) if script.endswith(".sh") else (f"./{script}", *args)), False


def _words(request: Mapping[str, Any], field: str) -> tuple[str, ...]:
    value = request.get(field) or ()
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
        raise BadInput(f"'{field}' must be a list of words.", fix='Write it as ["a", "b"].', field=field)
    if sum(len(item) for item in value) > 64 * 1024 or any("\0" in item for item in value):
        raise BadInput(f"'{field}' is too long or holds a NUL.", fix="Put long input into a file.", field=field)
    return tuple(value)


def _name_from(command: tuple[str, ...]) -> str:
    words = [word for word in command if not word.startswith("-")]
    word = (
        words[1]
        if len(words) > 1 and words[0] in {"python", "python3", "sh", "bash"}
        else words[0]
        if words
        else command[0]
    )
    return word.rsplit("/", 1)[-1][:64]


def _text(request: Mapping[str, Any], field: str, default: str) -> str:
    value = request.get(field, default)
    value = default if value is None else value
    if not isinstance(value, str) or len(value) > TEXT_MAX or any(ord(letter) < 32 for letter in value):
        raise BadInput(f"'{field}' must be one line of text.", fix=f"Write up to {TEXT_MAX} characters.", field=field)
    return value.strip()


def _flag(request: Mapping[str, Any], field: str) -> bool:
    value = request.get(field, False)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise BadInput(f"'{field}' must be true or false.", fix="Write true or false.", field=field)


def _number(request: Mapping[str, Any], field: str, default: float) -> float:
    value = request.get(field, default)
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        raise BadInput(
            f"'{field}' is {value!r}; it must be above zero.", fix="Write a number such as 1 or 0.5.", field=field
        )
    return float(value)


def _whole(request: Mapping[str, Any], field: str, default: int, *, low: int, high: int) -> int:
    value = request.get(field, default)
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadInput(
            f"'{field}' is {value!r}; it must be a whole number from {low} to {high}.", fix="Change it.", field=field
        )
    return value


def _choice(request: Mapping[str, Any], field: str, kind: Callable[[str], Any], default: Any) -> Any:
    value = request.get(field) or default
    try:
        return kind(value)
    except ValueError:
        names = [str(item) for item in kind]  # type: ignore[attr-defined]
        near = get_close_matches(str(value), names, 1)
        fix = f"Did you mean '{near[0]}'? " if near else ""
        raise BadInput(f"'{field}' is {value!r}.", fix=f"{fix}Choose one of {', '.join(names)}.", field=field) from None


def _memory(value: Any) -> int | None:
    if value is None:
        return None
    try:
        size = parse_bytes(value) if isinstance(value, str) else value
    except BadInput as error:
        error.field = "memory"
        raise
    if isinstance(size, bool) or not isinstance(size, int) or size < MIB:
        raise BadInput(
            f"'memory' is {value!r}; at least 1 MiB is needed.", fix="Write it as 512M or 2GiB.", field="memory"
        )
    return size


def _deadline(value: Any, now_s: float) -> float | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise BadInput("'by' must be text.", fix="Write 2h or an instant such as 2026-11-22T18:00:00Z.", field="by")
    try:
        deadline_s = parse_when_s(value, now_s)
    except BadInput as error:
        error.field = "by"
        raise
    if deadline_s <= now_s:
        raise BadInput(
            f"The deadline {value} lies in the past.",
            fix="Give one that is still to come.",
            field="by",
            code="deadline_past",
        )
    if deadline_s > now_s + DEADLINE_MAX_S:
        raise BadInput(
            f"The deadline {value} is more than a year away.",
            fix="Give a nearer one, or none.",
            field="by",
            code="deadline_far",
        )
    return deadline_s


def _time(value: Any, deadline_s: float | None, now_s: float) -> float:
    left_s = math.inf if deadline_s is None else deadline_s - now_s
    if value is None:
        return min(TIME_DEFAULT_S, left_s)
    try:
        time_s = parse_duration_s(value) if isinstance(value, str) else value
    except BadInput as error:
        error.field = "time"
        raise
    if isinstance(time_s, bool) or not isinstance(time_s, int | float) or not 0 < time_s <= TIME_MAX_S:
        raise BadInput(f"'time' is {value!r}; it must be above zero, up to 30d.", fix="Write 15m or 2h.", field="time")
    if time_s > left_s:
        raise BadInput(
            f"It declares {duration_text(time_s)} of run time; until its deadline {duration_text(left_s)} are left.",
            fix="Declare less time or a later deadline.",
            field="by",
            code="deadline_too_near",
        )
    return float(time_s)


def _env(value: Any, field: str) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    if not isinstance(value, Mapping) or len(value) > 1000:
        raise BadInput(f"'{field}' must be a table of names and values.", fix='Write {"NAME": "value"}.', field=field)
    for name, text in value.items():
        if not isinstance(name, str) or not _ENV_NAME.fullmatch(name) or not isinstance(text, str) or "\0" in text:
            raise BadInput(
                f"'{name}' is not a usable environment entry.", fix="Use letters, digits and _.", field=field
            )
        if name.startswith("PARK_"):
            raise BadInput(
                f"'{name}' belongs to the park.", fix="Choose a name that does not begin with PARK_.", field=field
            )
    return tuple(sorted(value.items()))


def _labels(value: Any) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    words = [word for item in value.items() for word in item] if isinstance(value, Mapping) else [None]
    is_sound = all(isinstance(word, str) and len(word) <= LABEL_MAX and word.isprintable() for word in words)
    if not is_sound or len(words) > 2 * LABELS_MAX:
        fix = f"Write up to {LABELS_MAX} names and values of up to {LABEL_MAX} characters."
        raise BadInput("'labels' must be a table of short words.", fix=fix, field="labels")
    return tuple(sorted(value.items()))


def _dependencies(request: Mapping[str, Any]) -> tuple[str, ...]:
    words = _words(request, "dependencies")
    for word in words:
        if not _REQUIREMENT.fullmatch(word.strip()):
            raise BadInput(
                f"'{word}' is not a requirement.", fix="Write it as numpy>=2 (PEP 508).", field="dependencies"
            )
    return tuple(word.strip() for word in words)
