"""Machines as squares with what they do now, and how well jobs are kept apart here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.foundation.site_file import NodeClass
from eureka_park.web.charts import machines as drawing
from eureka_park.web.pages.site_policy import engine_note
from eureka_park.web.pages.words import N_, Words, isolated

LEVELS: Final = {
    "container-cgroup": N_("Own files, processes and network; memory and processor time limited by the kernel."),
    "container": N_("Own files, processes and network; memory limited by the process's own limits."),
    "landlock": N_(
        "The kernel refuses files outside the job and the network; memory limited by the process's own limits."
    ),
    "none": N_("A plain process with limits: only for people who trust each other."),
}
ORDER: Final = tuple(LEVELS)
_JOBS_SHOWN: Final = 12
ABILITIES: Final = {
    "checkpoint": N_("pause at a checkpoint"),
    "freeze": N_("freeze in place"),
    "cap": N_("limit power"),
    "memory_limit": N_("hold memory by the kernel"),
    "gpu": N_("run on GPUs"),
}


def machines_of(park: Park, words: Words, who: Principal | None) -> list[dict[str, Any]]:
    """Each class of machines with its picture."""
    taken = park.compute.on_nodes(who)
    return [_class(words, kind, taken) for kind in park.site.nodes]


def _class(words: Words, kind: NodeClass, taken: Sequence[dict[str, Any]]) -> dict[str, Any]:
    names = [kind.id] if kind.n_nodes == 1 else [f"{kind.id}-{index}" for index in range(kind.n_nodes)]
    here = [job for job in taken if job["node"] in set(names)] if kind.engine == "local" else []
    cpus, gpus = sum(job["cpus"] for job in here), sum(job["gpus"] for job in here)
    return {
        "id": kind.id,
        "n": words.count("{n} machine", "{n} machines", kind.n_nodes),
        "is_local": kind.engine == "local",
        "facts": _facts(words, kind),
        "pictures": _pictures(words, kind, names, here),
        "each": words.number(drawing.nodes_to_a_square(kind.n_nodes)),
        "is_by_unit": drawing.units_drawn(kind.n_nodes, kind.n_cpus + kind.n_gpus),
        "busy_cpus": words.number(cpus),
        "all_cpus": words.number(kind.n_cpus * kind.n_nodes),
        "busy_gpus": words.number(gpus),
        "all_gpus": words.number(kind.n_gpus * kind.n_nodes) if kind.n_gpus else "",
        "n_jobs": len(here),
        "jobs": [_named(words, job) for job in here if job["job_id"]][:_JOBS_SHOWN],
        "label": kind.label,
    }


def _facts(words: Words, kind: NodeClass) -> list[tuple[str, str]]:
    facts = [
        (words.say("Processors each"), words.number(kind.n_cpus)),
        (words.say("Memory each"), words.say("{n} GiB", n=words.number(kind.memory_gib))),
        (words.say("Power each, all busy"), words.power(kind.rated_kw / 1000)),
        (words.say("Power each, idle"), words.power(kind.idle_kw / 1000)),
    ]
    if kind.n_gpus:
        shown = words.say("{n} × {kind}", n=words.number(kind.n_gpus), kind=isolated(kind.gpu_type or "GPU"))
        facts.insert(1, (words.say("GPUs each"), shown))
    return facts


def _pictures(
    words: Words, kind: NodeClass, names: Sequence[str], here: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    if not drawing.units_drawn(kind.n_nodes, kind.n_cpus + kind.n_gpus):
        shares: dict[int, float] = {}
        place = {name: index for index, name in enumerate(names)}
        for job in here:
            share = max(job["cpus"] / kind.n_cpus, job["gpus"] / kind.n_gpus if kind.n_gpus else 0.0)
            shares[place[job["node"]]] = shares.get(place[job["node"]], 0.0) + share
        label = words.count("{n} machine", "{n} machines", kind.n_nodes)
        return [{"name": "", "title": "", "svg": drawing.machines(kind.n_nodes, shares, label)}]
    pictures = []
    for name in names:
        for what, n, title in (
            ("cpus", kind.n_cpus, words.say("Processors")),
            ("gpus", kind.n_gpus, words.say("GPUs")),
        ):
            if n:
                jobs = [_taken(words, job, what) for job in here if job["node"] == name and job[what]]
                svg = drawing.processors(n, jobs, words.pair(isolated(name), title))
                pictures.append({"name": name if len(names) > 1 else "", "title": title, "svg": svg})
    return pictures


def _named(words: Words, job: dict[str, Any]) -> dict[str, Any]:
    """A job that one may see, as a line beside the squares."""
    is_capped = job["state"] == "running" and job["cap_frac"] < 1
    n = words.number(job["cpus"])
    return {
        "job_id": job["job_id"],
        "name": job["name"],
        "state": "capped" if is_capped else job["state"],
        "takes": words.count("{n} processor", "{n} processors", job["cpus"])
        if job["cpus"] >= 1
        else words.say("{n} of a processor", n=n),
    }


def _taken(words: Words, job: dict[str, Any], what: str) -> drawing.Taken:
    name = isolated(job["name"]) if job["name"] else words.say("a job of a project that you do not see")
    told = words.say(
        "{name}: {state}, {n} processors", name=name, state=words.say(job["state"]), n=words.number(job[what])
    )
    href = f"/jobs/{job['job_id']}" if job["job_id"] else ""
    return drawing.Taken(job["node"], job["state"], float(job[what]), told, href, job["cap_frac"])


def sandbox_of(park: Park, words: Words) -> dict[str, Any]:
    """The level of isolation reached, why not a higher one, and what the engine can do."""
    note = engine_note(park)
    level = str(note.get("sandbox_level", ""))
    able = note.get("capabilities") or []
    return {
        "level": level,
        "text": words.say(LEVELS[level]) if level in LEVELS else "",
        "higher": [
            {"level": name, "text": words.say(LEVELS[name]), "why": str(note.get("why_not", {}).get(name, ""))}
            for name in (ORDER[: ORDER.index(level)] if level in ORDER else ())
        ],
        "abilities": [(words.say(text), name in able) for name, text in ABILITIES.items()] if level else [],
    }
