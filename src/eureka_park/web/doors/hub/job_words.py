"""Jobs as clients of the hub declare them, in the park's own words: hardware, images, commands, labels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from eureka_park.compute.core.site_room import ClassRoom, SiteRoom
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import GIB, MIB

CPU_DEFAULT: Final = ("cpu", "cpu-basic")  # what clients say of themselves where nobody names one
# Words of a declaration that a client has no other place for; they come as labels.
FIELDS_OF_LABELS: Final[Mapping[str, type]] = {"tier": str, "by": str, "memory": str, "cpus": float, "priority": int}
_FLAGS: Final = {"true": True, "false": False}
_CPUS: Final = re.compile(r"cpu-(\d{1,5})")
_GPUS: Final = re.compile(r"(\d{1,6})x([a-z0-9][a-z0-9.-]*)")
_PYTHON: Final = re.compile(r"(?:docker\.io/)?(?:library/)?python(?::(\d+\.\d+)?[\w.-]*)?")
_UV: Final = re.compile(r"(?:ghcr\.io/)?astral-sh/uv(?::[\w.-]+)?")
_NOT_HERE: Final = {
    "spaceId": "images of spaces",
    "expose": "ports that others reach",
    "ssh": "SSH into jobs",
    "network": "network groups",
    "resourceGroupId": "resource groups",
}


def slug(gpu_type: str) -> str:
    """A type of GPU as part of a flavour."""
    return re.sub(r"[^a-z0-9.]+", "-", gpu_type.lower()).strip("-") or "gpu"


# -- hardware ----------------------------------------------------------------------------------------------------------
def hardware(room: SiteRoom) -> list[dict[str, Any]]:
    """What a job can ask for by one word: parts of the largest node, GPUs of a node, whole nodes of a class."""
    rows = [_row("cpu", "1 CPU", 1, GIB)]
    widest = max(room.classes, key=lambda kind: kind.n_cpus)
    rows += [_row(f"cpu-{n}", f"{n} CPUs", n, _share(widest, n)) for n in _powers(2, int(widest.n_cpus))]
    named: set[str] = set()
    for kind in sorted(room.classes, key=lambda kind: kind.n_gpus):
        for n_gpus in _counts(kind):
            name = f"{n_gpus}x{slug(kind.gpu_type)}"
            if name not in named:
                rows.append(_gpu_row(name, n_gpus, kind))
            named.add(name)
    return rows


def _gpu_row(name: str, n_gpus: int, kind: ClassRoom) -> dict[str, Any]:
    n_nodes, part = max(1, n_gpus // kind.n_gpus), min(1.0, n_gpus / kind.n_gpus)
    model = kind.gpu_type or "GPU"
    title = f"{n_gpus}x {model}" + (f", {n_nodes} whole nodes" if n_nodes > 1 else "")
    row = _row(name, title, kind.n_cpus * part, int(kind.memory_bytes * part))
    told = {"type": "gpu", "model": model, "quantity": str(n_gpus), "vram": "-", "manufacturer": "-"}
    return {**row, "accelerator": told}


def _row(name: str, title: str, n_cpus: float, memory_bytes: int) -> dict[str, Any]:
    return {
        "name": name,
        "prettyName": title,
        "cpu": f"{n_cpus:g} CPU",
        "ram": f"{memory_bytes / GIB:.3g} GiB",
        "ephemeralStorage": "N/A",
        "accelerator": None,
        # Clients print dollars; the park counts credits, which a quote tells.
        "unitCostMicroUSD": 0,
        "unitCostUSD": 0.0,
        "unitLabel": "minute",
    }


def _powers(start: int, most: int) -> list[int]:
    found = []
    while start <= most:
        found.append(start)
        start *= 2
    return found


def _counts(kind: ClassRoom) -> list[int]:
    """Numbers of GPUs of a class that are worth a line: parts of a node, a node, whole nodes."""
    if not kind.n_gpus:
        return []
    parts = [n for n in _powers(1, kind.n_gpus) if n < kind.n_gpus]
    return [*parts, *(n * kind.n_gpus for n in _powers(1, kind.n_nodes))]


def _share(kind: ClassRoom, n_cpus: int) -> int:
    return max(GIB, int(kind.memory_bytes * n_cpus / kind.n_cpus) // MIB * MIB)


def room_of_flavor(flavor: str, room: SiteRoom) -> dict[str, Any]:
    """The fields of a declaration that a flavour stands for. Raises BadInput (`no_such_flavor`)."""
    word = flavor.strip().lower()
    if word in CPU_DEFAULT or not word:
        return {}
    widest = max(room.classes, key=lambda kind: kind.n_cpus)
    if match := _CPUS.fullmatch(word):
        n_cpus = int(match[1])
        if 0 < n_cpus <= widest.n_cpus:
            return {"cpus": float(n_cpus), "memory": _share(widest, n_cpus)}
    if (match := _GPUS.fullmatch(word)) and int(match[1]):
        return _gpus(int(match[1]), match[2], room)
    raise BadInput(
        f"There is no flavour {flavor[:60]!a} here.", fix="List them with: hf jobs hardware", field="flavor",
        code="no_such_flavor",
    )  # fmt: skip


def _gpus(n_gpus: int, name: str, room: SiteRoom) -> dict[str, Any]:
    kinds = [kind for kind in room.classes if kind.n_gpus and slug(kind.gpu_type).startswith(name)]
    fields: dict[str, Any] = {"gpus": n_gpus}
    if name != "gpu":
        exact = [kind for kind in kinds if slug(kind.gpu_type) == name]
        types = {kind.gpu_type for kind in exact or kinds}
        fields["gpu_type"] = types.pop() if len(types) == 1 else name
    of_type = [kind for kind in kinds if n_gpus < kind.n_gpus]
    if of_type:  # a part of a node brings its share of the rest
        kind = min(of_type, key=lambda kind: kind.n_gpus)
        part = n_gpus / kind.n_gpus
        fields |= {"cpus": kind.n_cpus * part, "memory": int(kind.memory_bytes * part) // MIB * MIB}
    return fields


def flavor_of(view: Mapping[str, Any]) -> str:
    """The flavour of a job, as one would ask for it."""
    if view["gpus"]:
        return f"{view['gpus']}x{slug(view['gpu_type'])}"
    return "cpu" if view["cpus"] <= 1 else f"cpu-{view['cpus']:g}"


# -- declarations ------------------------------------------------------------------------------------------------------
def request_of(project_id: str, body: Mapping[str, Any], room: SiteRoom) -> dict[str, Any]:
    """A declaration to the park, of what a client sent. Raises BadInput for what the park does not do."""
    _refuse(body)
    labels = _labels(body.get("labels"))
    command, more = _command(body)
    request: dict[str, Any] = {
        "project": project_id,
        "command": command,
        "labels": labels,
        **more,
        **room_of_flavor(_text(body.get("flavor"), "flavor"), room),
        **_of_labels(labels),
    }
    timeout = body.get("timeoutSeconds")
    if timeout is not None:
        if isinstance(timeout, bool) or not isinstance(timeout, int | float):
            raise BadInput("'timeoutSeconds' is no number.", fix="Send seconds.", field="timeoutSeconds")
        request["time"] = timeout
    for theirs, ours in (("environment", "env"), ("secrets", "secrets")):
        value = body.get(theirs)
        if value:
            request[ours] = value
    if labels.get("name"):
        request["name"] = labels["name"]
    return request


def _refuse(body: Mapping[str, Any]) -> None:
    for key, what in _NOT_HERE.items():
        if body.get(key):
            raise BadInput(f"The park has no {what}.", fix="Leave it out.", field=key, code="not_here")
    if (body.get("attempts") or 1) != 1:
        raise BadInput(
            "The park runs a failed job once.", fix="Leave attempts out: what the park itself lost, it runs again.",
            field="attempts", code="not_here",
        )  # fmt: skip


def _labels(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise BadInput("'labels' is no table of texts.", fix='Send {"name": "value"}.', field="labels")
    return value


def _of_labels(labels: Mapping[str, str]) -> dict[str, Any]:
    """The fields that labels stand for. Raises BadInput for one that is no value of its field."""
    fields: dict[str, Any] = {}
    for name, kind in FIELDS_OF_LABELS.items():
        if name in labels:
            try:
                fields[name] = kind(labels[name])
            except ValueError:
                raise BadInput(
                    f"The label {name} is {labels[name][:60]!a}.", fix="Give a number.", field=name
                ) from None
    if "checkpoint" in labels:
        if labels["checkpoint"] not in _FLAGS:
            raise BadInput("The label checkpoint is no flag.", fix="Give true or false.", field="checkpoint")
        fields["checkpoint"] = _FLAGS[labels["checkpoint"]]
    return fields


def _command(body: Mapping[str, Any]) -> tuple[list[str], dict[str, Any]]:
    words = [*_words(body, "command"), *_words(body, "arguments")]
    if not words:
        raise BadInput("The job has no command.", fix="Name one after the image.", field="command")
    needs = _image(_text(body.get("dockerImage"), "dockerImage"))
    if words[:2] == ["uv", "run"]:
        words, more = _uv(words[2:])
        return words, {**needs, **more}
    if words[0] == "python3":
        words[0] = "python"  # of an image it is the same; here this one is the job's own
    return words, needs


def _image(image: str) -> dict[str, Any]:
    """What an image asks of the park, which runs no images: a version of Python. Raises BadInput for any other."""
    if match := _PYTHON.fullmatch(image):
        return {"requires_python": f"=={match[1]}.*"} if match[1] else {}
    if not image or _UV.fullmatch(image):
        return {}
    raise BadInput(
        f"The park runs no images such as {image[:80]!a}: a job has the machine's programs and a Python of its own.",
        fix="Use the image 'python' or 'python:3.12', and name packages: hf jobs uv run --with PACKAGE.",
        field="dockerImage", code="no_images",
    )  # fmt: skip


def _uv(words: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """`uv run` with the options that clients give it: the park makes such an environment itself."""
    rest, packages, more = list(words), list[str](), dict[str, Any]()
    while rest and rest[0].startswith("-"):
        option, _, value = rest.pop(0).partition("=")
        if option not in ("--with", "--python", "-p") or not (value or rest):
            raise BadInput(f"The park knows no option {option[:40]} of uv run.", fix="Use --with and --python.")
        value = value or rest.pop(0)
        if option == "--with":
            packages.append(value)
        else:
            more["requires_python"] = value if value[:1] in "<>=!~" else f"=={value}.*"
    if not rest:
        raise BadInput("uv run has nothing to run.", fix="Name a script or a command.", field="command")
    if rest[0].startswith(("http://", "https://")):
        raise BadInput(
            "The park fetches no scripts.", fix="Download it, and send the file: hf jobs uv run SCRIPT", field="command"
        )
    if packages:
        more["dependencies"] = packages
    if rest[0].endswith(".py"):
        rest = ["python", *rest]
    elif rest[0] == "python3":
        rest[0] = "python"
    return rest, more


def _words(body: Mapping[str, Any], name: str) -> list[str]:
    value = body.get(name) or []
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise BadInput(f"'{name}' is no list of words.", fix='Send ["a", "b"].', field=name)
    return value


def _text(value: Any, name: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadInput(f"'{name}' is no text.", fix="Send a text.", field=name)
    return value
