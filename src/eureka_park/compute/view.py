"""JobView: a job as the API, the CLI and the pages show it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from eureka_park.compute.core.job import ON_NODE
from eureka_park.compute.store import ArrayTimes
from eureka_park.foundation.units import bytes_text, duration_text, iso_from_s

_WAITING = frozenset({"queued", "paused"})
HIDDEN: Final = "a job that you may not see"


def job_view(row: Mapping[str, Any], receipt: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The view of one job's row. Of the jobs that it runs after, those in `hidden` of the row lose their ids."""
    spec, hidden = row["spec"], row.get("hidden", ())
    return {
        "job_id": row["job_id"],
        "name": row["name"],
        "project": row["project"],
        "state": row["state"],
        "tier": row["tier"],
        "class": spec["job_class"],
        "command": list(spec["command"]),
        "labels": dict(spec.get("labels", ())),
        "secrets": [name for name, _ in spec.get("secrets", ())],
        "submitted_at": iso_from_s(row["submitted_s"]),
        "started_at": iso_from_s(row["started_s"]),
        "ended_at": iso_from_s(row["ended_s"]),
        "deadline_at": iso_from_s(row["deadline_s"]),
        "exit_code": row["exit_code"],
        "exit_signal": row["exit_signal"],
        "reasons": list(row["reasons"]),
        "attempt": row["attempt"],
        "resume_count": row["resume_count"],
        "n_pauses": row["n_pauses"],
        "ran_s": row["ran_s"],
        "cap_frac": row["cap_frac"],
        "cpus": spec["n_cpus"],
        "gpus": spec["n_gpus"] * spec.get("n_nodes", 1),
        "memory_bytes": spec["memory_bytes"],
        "nodes": spec.get("n_nodes", 1),  # a job of an older park was declared without these
        "min_nodes": spec.get("n_nodes_min", 0),
        "gpu_type": spec.get("gpu_type", ""),
        "kw": spec.get("declared_kw"),
        "power": row.get("power"),
        "time_s": spec["time_s"],
        "checkpoint": spec["checkpoint"],
        "priority": spec["priority"],
        "node": row["node"],
        "held_nodes": [row["node"]] if row["node"] and row["state"] in ON_NODE else [],
        "sandbox_level": row["sandbox_level"],
        "detail": veiled(row["detail"], hidden),
        "array_id": row["array_id"],
        "task_index": row["task_index"],
        "n_tasks": spec["n_tasks"] if spec["is_array"] and row["array_id"] is None else None,
        "task_states": None,
        "after": ["" if name in hidden else name for name in spec["after"]],
        "inputs": [],  # `materials` tells of both, as far as the reader may know
        "outputs": [],
        "output_always": spec.get("output_always", False),
        "receipt": receipt_line(receipt),
    }


def veiled(text: str, hidden: Iterable[str]) -> str:
    """A text without the ids of jobs that its reader may not see."""
    for name in sorted(hidden, key=len, reverse=True):  # a task before its array
        text = text.replace(name, HIDDEN)
    return text


def on_node_view(row: Mapping[str, Any], nodes: Sequence[str] = (), *, is_seen: bool) -> dict[str, Any]:
    """What a job takes of each of its nodes (`nodes` of a gang); its name only for those who may see it."""
    spec = row["spec"]
    facts = {key: row[key] for key in ("node", "state", "tier", "cap_frac")}
    names = {"job_id": row["job_id"], "name": row["name"]} if is_seen else {"job_id": None, "name": None}
    held = list(nodes) or [row["node"]]
    return {**facts, **names, "nodes": held, "cpus": spec["n_cpus"], "gpus": spec["n_gpus"]}


def receipt_line(receipt: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The three figures of a receipt that a list shows."""
    return None if receipt is None else {name: receipt[name] for name in ("kwh", "credits", "method")}


def posted_row(job_id: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """A row for a job that is still in the inbox, in the form of the store's rows."""
    spec = payload["spec"]
    return {
        "job_id": job_id, "ordinal": -1, "array_id": None, "task_index": None, "project": spec["project"],
        "name": spec["name"], "state": "queued", "tier": spec["tier"], "spec": spec,
        "submitted_s": payload["at_s"], "deadline_s": payload["deadline_s"], "started_s": None, "ended_s": None,
        "exit_code": None, "exit_signal": None, "attempt": 0, "resume_count": 0, "n_pauses": 0, "cap_frac": 1.0,
        "ran_s": 0.0, "node": "", "sandbox_level": "", "detail": "", "reasons": [just_sent()], "power": None,
        "person": spec.get("person", ""), "priority": spec.get("priority", 0),
    }  # fmt: skip


def just_sent() -> dict[str, Any]:
    """The reason of a job that the scheduler has not seen yet."""
    return {
        "code": "just_sent",
        "text": "It has just arrived; the scheduler looks at it next.",
        "values": {},
        "until": None,
    }


def behind(n_ahead: int, tier: str, share: Mapping[str, float] | None = None) -> dict[str, Any]:
    """The reason of a job that stands behind others of its project and tier. `share`: its project's `used_frac` and
    `due_frac`; told where others come first for it.
    """
    values: dict[str, Any] = {"n_ahead": n_ahead}
    more = ""
    if share and share["used_frac"] > share["due_frac"]:
        values |= {"used_frac": share["used_frac"], "due_frac": share["due_frac"]}
        used, due = f"{share['used_frac']:.2f}", f"{share['due_frac']:.2f}"
        more = f" Its project has used {used} of the park lately; {due} is due to it."
    if n_ahead == 0:
        values.pop("n_ahead")
        return {"code": "next", "text": f"It is next in its line.{more}", "values": values, "until": None}
    jobs = "job of its project stands" if n_ahead == 1 else "jobs of its project stand"
    text = f"{n_ahead} {tier} {jobs} before it.{more}"
    return {"code": "behind", "text": text, "values": values, "until": None}


def array_state(states: Mapping[str, int]) -> str:
    """One state for an array: where most is still to happen; ended only when every task has."""
    for state in ("running", "starting", "pausing", "frozen", "paused", "queued"):
        if states.get(state):
            return state
    for state in ("failed", "lost", "cancelled"):
        if states.get(state):
            return state
    return "finished"


def array_view(array_id: str, row: Mapping[str, Any], times: ArrayTimes) -> dict[str, Any]:
    """The view of an array, from its first task's row, its tasks' states and its times."""
    states = row["task_states"]
    n_tasks = sum(states.values())
    is_over = times.n_ended == n_tasks
    view = job_view(row)
    return view | {
        "job_id": array_id,
        "state": array_state(states),
        "task_index": None,
        "array_id": None,
        "held_nodes": [],
        "n_tasks": n_tasks,
        "task_states": dict(states),
        "started_at": iso_from_s(times.started_s),
        "ended_at": iso_from_s(times.ended_s) if is_over else None,
        "exit_code": times.exit_code if is_over else None,
        "exit_signal": times.exit_signal if is_over else None,
        "reasons": list(row["reasons"]) if array_state(states) in _WAITING else [],
        "detail": "",
    }


def dependency(names: Sequence[str], hidden: Collection[str] = ()) -> dict[str, Any] | None:
    """The reason of a job that runs after others, the ids of `hidden` ones empty; None when there are none."""
    if not names:
        return None
    after = ["" if name in hidden else name for name in names]
    shown = ", ".join(name or HIDDEN for name in after[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return {"code": "dependency", "text": f"It runs after {shown}.", "values": {"after": after}, "until": None}


def with_fetching(
    reasons: Sequence[Mapping[str, Any]], told: Mapping[str, Any] | None, state: str
) -> list[Mapping[str, Any]]:
    """The reasons of a job, with how far the fetching of its inputs is (`folders.fetching`) or how long it took;
    nothing is said of one that had none to fetch.
    """
    if told is None or not told["of_bytes"]:
        return list(reasons)
    n_text, of_text = bytes_text(told["n_bytes"]), bytes_text(told["of_bytes"])
    values: dict[str, Any] = {"n_bytes": told["n_bytes"], "of_bytes": told["of_bytes"]}
    if told["ended_s"] is not None:
        took = duration_text(told["ended_s"] - told["begun_s"])
        text = f"Its inputs ({n_text}) took {took} to come."
        values["took_s"] = max(0.0, told["ended_s"] - told["begun_s"])
        return [*reasons, {"code": "fetched_inputs", "text": text, "values": values, "until": None}]
    if state != "starting":
        return list(reasons)
    text = f"Its inputs are being fetched: {n_text} of {of_text}."
    return [{"code": "fetching_inputs", "text": text, "values": values, "until": None}, *reasons]


def no_plan() -> dict[str, Any]:
    """The reason of a job that came before the park's first plan."""
    text = "There is no power plan yet; one is being made."
    return {"code": "no_plan", "text": text, "values": {}, "until": None}


def in_line(tier: str) -> dict[str, Any]:
    """The reason of a waiting job in a list, where its exact place is not counted."""
    return {"code": "in_line", "text": f"It stands in the {tier} line of its project.", "values": {}, "until": None}


def ended_reason(row: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to "why" for a job that runs or is over."""
    state = row["state"]
    text = {
        "starting": "It is being prepared: environment and files.",
        "running": "It runs.",
        "pausing": "It writes a checkpoint before it stops.",
        "finished": "It finished.",
        "failed": "It failed.",
        "cancelled": "It was cancelled.",
        "lost": "It was lost: its node or supervisor died without a last word.",
    }.get(state, f"It is {state}.")
    if row["exit_code"] is not None and state == "failed":
        text = f"It failed with exit code {row['exit_code']}."
    if row["ended_s"] is not None and row["started_s"] is not None:
        text += f" It ran {duration_text(row['ran_s'])}."
    if row["detail"]:
        text += f" {veiled(row['detail'], row.get('hidden', ()))}"
    return {"code": state, "text": text, "values": {}, "until": None}


def array_receipt(array_id: str, receipts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The sum of the receipts of an array's tasks, hour by hour; figures of the first stand for labels and prices."""
    hours: dict[str, dict[str, Any]] = {}
    for receipt in receipts:
        for hour in receipt["hours"]:
            kept = hours.setdefault(hour["hour_at"], {"hour_at": hour["hour_at"]})
            _add_figures(kept, hour)
    total: dict[str, Any] = {}
    for receipt in receipts:
        _add_figures(total, {name: value for name, value in receipt.items() if name in _SUMMED})
    rest = {name: value for name, value in receipts[0].items() if name not in total}
    is_measured = all(receipt["method"] == "measured" for receipt in receipts)
    method = "measured" if is_measured else "modelled"
    return {**rest, **total, "job_id": array_id, "hours": [hours[at] for at in sorted(hours)], "method": method}


_SUMMED = frozenset({"gpu_h", "cpu_h", "kwh", "it_kwh", "kwh_by_source", "gco2", "credits"})


def _add_figures(kept: dict[str, Any], more: Mapping[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, Mapping):
            _add_figures(kept.setdefault(name, {}), value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            kept[name] = round(kept.get(name, 0.0) + value, 12)
