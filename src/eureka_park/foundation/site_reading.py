"""Reading a site: built-in or from a file, scale models resolved on this machine, errors with line, field and range."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final

from eureka_park.foundation.errors import BadInput, NotFound
from eureka_park.foundation.machine import MachineFacts
from eureka_park.foundation.plant_filling import filled_plants, merged_facts_text
from eureka_park.foundation.site_file import Site, SiteProblem, checked_site, sections
from eureka_park.foundation.toml_places import line_of, place_text, toml_lines
from eureka_park.foundation.units import GIB

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_TEMPLATE: Final = "template"
_BYTES_MAX: Final = 4 * 1024 * 1024
_FIX: Final = (
    "Correct the line, then check the file with: park site check FILE. Every field is in docs/reference/site-file.md."
)


def built_in_sites() -> tuple[str, ...]:
    """Names of the sites that come with the park."""
    folder = resources.files("eureka_park") / "sites"
    names = sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".toml"))
    return tuple(name for name in names if name != _TEMPLATE)


def site_text(name_or_path: str | Path) -> tuple[str, str]:
    """The TOML text of a built-in site or of a file, and how to call it in messages. Raises NotFound."""
    word = str(name_or_path)
    if word in built_in_sites():
        return (resources.files("eureka_park") / "sites" / f"{word}.toml").read_text("utf-8"), f"{word}.toml"
    path = Path(word)
    if not path.is_file():
        raise NotFound(
            f"There is no site '{word}'.",
            fix=f"Name a file or one of: {', '.join(built_in_sites())}.",
            code="no_such_site",
        )
    try:
        if path.stat().st_size > _BYTES_MAX:
            told = f"{path.name} is no site file: it has more than {_BYTES_MAX // 2**20} MiB."
            raise BadInput(told, fix=_FIX, code="bad_site_file")
        return path.read_text("utf-8"), path.name
    except UnicodeDecodeError:
        raise BadInput(f"{path.name} is not UTF-8 text.", fix="Save it as UTF-8.", code="bad_site_file") from None


def site_shown(name_or_path: str | Path) -> str:
    """A site as it is written, then as comments what its known plants add. Raises NotFound, BadInput."""
    text, called = site_text(name_or_path)
    data = parsed_toml(text, called)
    base = _base_of(data, called, text)
    return f"{text.rstrip()}\n{merged_facts_text(_overlaid(base, data) if base else data)}".rstrip()


def load_site(name_or_path: str | Path, machine: MachineFacts | None = None) -> Site:
    """Read a built-in site by name or a site file, with the machine's facts filled in where it says `found = true`.

    Raises NotFound for an unknown name and BadInput, with file, line, field, value and allowed range, for a wrong file.
    """
    text, called = site_text(name_or_path)
    return parse_site(text, called, machine)


def parse_site(text: str, called: str, machine: MachineFacts | None = None) -> Site:
    """Like `load_site`, for a text at hand; `called` names it in messages."""
    data = parsed_toml(text, called)
    base = _base_of(data, called, text)
    merged = filled_plants(_overlaid(base, data) if base else data)
    _fill_found(merged, machine)
    site = checked_site(merged)
    if not isinstance(site, Site):
        raise _bad(site, text, called, merged)
    return _resolved(site)


def new_site_text(name: str) -> str:
    """A commented site file to start from: a university with eight GPUs under a solar roof. Raises BadInput."""
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"'{name}' is not a name for a site.",
            fix="Use lower-case letters, digits and hyphens, at most 63.",
            code="bad_site_name",
        )
    template = (resources.files("eureka_park") / "sites" / f"{_TEMPLATE}.toml").read_text("utf-8")
    return template.replace("my-university", name)


def parsed_toml(text: str, called: str, fix: str = _FIX, code: str = "bad_site_file") -> dict[str, Any]:
    """The tables of a TOML text. Raises BadInput, with `fix` and `code`, that names the line where it is no TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+), column (\d+)", str(error))
        line = at[1] if at else str(max(1, len(text.splitlines())))
        what = re.sub(r"\s*\(at .*\)$", "", str(error)).lower()
        raise BadInput(f"{called}, line {line}: not valid TOML: {what}.", fix=fix, code=code) from None
    except (ValueError, RecursionError):  # numbers of thousands of digits, lists in lists without end
        raise BadInput(f"{called} is no TOML to be read here.", fix=fix, code=code) from None


def _base_of(data: Mapping[str, Any], called: str, text: str) -> dict[str, Any] | None:
    scale = data.get("scale")
    if not isinstance(scale, dict) or "of" not in scale:
        return None
    names = [name for name in built_in_sites() if name != data.get("name")]
    if scale["of"] not in names:
        line = line_of(("scale", "of"), toml_lines(text))
        raise BadInput(
            f"{called}, line {line}: scale.of = {scale['of']!r} is not a built-in site.",
            fix=f"Allowed: {', '.join(names)}.", code="bad_site_file", field="scale.of",
        )  # fmt: skip
    return parsed_toml(site_text(scale["of"])[0], f"{scale['of']}.toml")


def _overlaid(base: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are merged key by key, everything else is replaced. The rated IT power is never inherited."""
    merged = {**base, "pue": {key: value for key, value in base.get("pue", {}).items() if key != "it_mw_rated"}}
    for key, value in own.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = {**merged[key], **value} if both else value
    return merged


def _fill_found(data: dict[str, Any], machine: MachineFacts | None) -> None:
    nodes = data.get("nodes")
    if machine is None or not isinstance(nodes, list):
        return
    data["nodes"] = [
        _found_node(node, machine) if isinstance(node, dict) and node.get("found") is True else node for node in nodes
    ]


def _found_node(node: Mapping[str, Any], machine: MachineFacts) -> dict[str, Any]:
    found = {
        "n_cpus": machine.n_cpus,
        "memory_gib": machine.memory_bytes / GIB,
        "n_gpus": len(machine.gpus),
        "gpu_type": machine.gpus[0].gpu_type if machine.gpus else "",
        "gpu_w_max": max((gpu.rated_w for gpu in machine.gpus), default=0.0),
        "rated_kw": machine.rated_kw,
        "idle_kw": machine.idle_kw,
    }
    return {**found, **node}


def _resolved(site: Site) -> Site:
    """The site with its rated IT power and, in a scale model, its factor filled in."""
    pue = site.pue
    if pue.it_mw_rated is None:
        pue = pue.model_copy(update={"it_mw_rated": site.it_kw_rated / 1000.0})
    scale = site.scale
    if scale is not None:
        scale = scale.model_copy(update={"factor": min(1.0, site.site_kw_rated / 1000.0 / site.site_mw_max)})
    return site.model_copy(update={"pue": pue, "scale": scale})


def _bad(problems: tuple[SiteProblem, ...], text: str, called: str, data: Mapping[str, Any]) -> BadInput:
    """The first problem in one line, and how many more there are."""
    first = problems[0]
    known = [name for _, _, model in sections() for name in model.model_fields]
    message = told_problem(first, text, called, data) + near_name(first, known)
    if len(problems) > 1:
        message += f" (and {len(problems) - 1} more)"
    return BadInput(
        message if message.endswith("?") else f"{message}.",
        fix=_FIX,
        code="bad_site_file",
        field=place_text(first.place),
    )


def told_problem(problem: SiteProblem, text: str, called: str, data: Mapping[str, Any]) -> str:
    """A problem in one line, with its own line in the text, its place and what is allowed; without a full stop."""
    line = line_of(problem.place, toml_lines(text)) or 1  # what is missing altogether belongs at the top
    message = f"{called}, line {line}: {_named_place(problem, data)} {problem.message}"
    if problem.allowed:
        message += f"; allowed: {problem.allowed}"
    return " ".join(message.split())  # one line, whatever a value holds


def _named_place(problem: SiteProblem, data: Mapping[str, Any]) -> str:
    """The place with the id of the table it lies in, where there is one: `plants[2].eta_frac (noor-iii)`."""
    item: Any = data
    name = ""
    for part in problem.place[:2]:
        try:
            item = item[part]
        except (KeyError, IndexError, TypeError):
            break
        name = str(item.get("id") or item.get("path") or "") if isinstance(item, dict) else name
    return place_text(problem.place) + (f" ({name})" if name else "")


def near_name(problem: SiteProblem, known: Sequence[str]) -> str:
    """The name that may have been meant, for a field that is none: `, did you mean tes_h?`; else nothing."""
    if not problem.message.startswith("is not a field"):
        return ""
    near = difflib.get_close_matches(str(problem.place[-1]), known, n=1)
    return f", did you mean {near[0]}?" if near else ""
