"""Several jobs written down in one file, for `park submit jobs.toml`: a table for each, named by its `key`.

[[jobs]]
key = "prepare"
script = "prepare.py"

[[jobs]]
key = "train"
script = "train.py"
after = ["prepare"]        # keys of this file, or ids of jobs that were sent before
gpus = 1
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from pathlib import Path
from typing import Any, Final

from eureka_park.client.fields import FIELDS, nearest
from eureka_park.client.job_file import JobFile, bad_job_file, job_of_table, lines_of_keys, text_of, toml_of
from eureka_park.foundation.cycles import chain_text, find_cycle

BATCH_MAX: Final = 1000
_HEADER: Final = re.compile(r"^\s*\[\[\s*jobs\s*\]\]")
_KEY: Final = re.compile(r"(?!job-)[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class BatchJob:
    """One job of the file. What its fields name under `after` may be keys of others, which stand before it."""

    key: str
    file: JobFile


def read_job_or_batch(path: Path) -> JobFile | tuple[BatchJob, ...]:
    """Read a file of one job or of several. Raises NotFound, or BadInput naming file, line and field."""
    return parse_job_or_batch(text_of(path), path)


def parse_job_or_batch(text: str, path: Path) -> JobFile | tuple[BatchJob, ...]:
    """As `read_job_or_batch`, from its text. Jobs come in an order in which they can be sent, else that of the file.

    Refused: keys that are there twice, an `after` that is neither key nor id, jobs that wait for each other.
    """
    value = toml_of(text, path)
    tables = value.get("jobs")
    if tables is None:
        return job_of_table(value, lines_of_keys(text), path)
    lines = lines_of_keys(text)
    for key in value:
        if key != "jobs":
            fix = "Move it into the [[jobs]] that it belongs to."
            raise bad_job_file(path, lines.get(key, 1), key, f"'{key}' stands outside the jobs.", fix)
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables) or not tables:
        raise bad_job_file(path, lines.get("jobs", 1), "jobs", "'jobs' is not a list of jobs.", "Write [[jobs]].")
    if len(tables) > BATCH_MAX:
        what = f"{len(tables)} jobs are too many at once."
        raise bad_job_file(path, 1, "jobs", what, f"Send up to {BATCH_MAX}, or an array.")
    return _in_order(*_jobs(tables, _lines_of_tables(text, len(tables)), path), path)


def _jobs(
    tables: Sequence[Mapping[str, Any]], lines: Sequence[Mapping[str, int]], path: Path
) -> tuple[dict[str, JobFile], dict[str, int]]:
    """The jobs by key, and the line of each one's `after`."""
    jobs: dict[str, JobFile] = {}
    places: dict[str, int] = {}
    for table, places_of_keys in zip(tables, lines, strict=True):
        key, line = table.get("key"), places_of_keys.get("key", 1)
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            what = "a job has no usable 'key'." if key is not None else "a job has no 'key'."
            raise bad_job_file(path, line, "key", what, 'Name it in letters and digits, such as key = "train".')
        if key in jobs:
            raise bad_job_file(path, line, "key", f"the key '{key}' is there twice.", "Give each job its own.")
        rest = {name: value for name, value in table.items() if name != "key"}
        jobs[key], places[key] = job_of_table(rest, places_of_keys, path), places_of_keys.get("after", line)
    return jobs, places


def _in_order(jobs: Mapping[str, JobFile], places: Mapping[str, int], path: Path) -> tuple[BatchJob, ...]:
    after = {key: [name for name in job.fields.get("after", ()) if name in jobs] for key, job in jobs.items()}
    for key, job in jobs.items():
        for name in job.fields.get("after", ()):
            if name not in jobs and not name.startswith("job-"):
                near = nearest(name, jobs)
                fix = f"Did you mean '{near}'?" if near else "Name a key of this file, or the id of a job."
                raise bad_job_file(path, places[key], "after", f"'{key}' runs after '{name}', which is not here.", fix)
    cycle = find_cycle(after)
    if cycle is not None:
        what = f"jobs wait for each other: {chain_text(cycle)}."
        raise bad_job_file(path, places[cycle[0]], "after", what, "Take one of them out of 'after'.")
    return tuple(BatchJob(key, jobs[key]) for key in _sorted(after))


def _sorted(after: Mapping[str, Sequence[str]]) -> list[str]:
    """The keys, each behind those that it runs after, else in their own order; there is no cycle."""
    keys = list(after)
    place = {key: at for at, key in enumerate(keys)}
    left = {key: len(set(names)) for key, names in after.items()}
    behind: dict[str, list[str]] = {key: [] for key in keys}
    for key, names in after.items():
        for name in set(names):
            behind[name].append(key)
    ready, done = [place[key] for key in keys if not left[key]], list[str]()
    while ready:
        key = keys[heappop(ready)]
        done.append(key)
        for later in behind[key]:
            left[later] -= 1
            if not left[later]:
                heappush(ready, place[later])
    return done


def _lines_of_tables(text: str, n_tables: int) -> list[dict[str, int]]:
    """For each [[jobs]] the lines of its keys; where the file writes them otherwise, its first line."""
    lines = text.splitlines()
    heads = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    if len(heads) != n_tables:
        return [dict.fromkeys(("key", *FIELDS), 1) for _ in range(n_tables)]
    found = []
    for head, end in zip(heads, [*heads[1:], len(lines)], strict=True):
        body = "\n".join(re.sub(r"^\s*\[\s*jobs\.", "[", line) for line in lines[head + 1 : end])
        own = {key: head + 1 + number for key, number in lines_of_keys(body).items()}
        found.append({**dict.fromkeys(("key", *FIELDS), head + 1), **own})
    return found
