"""A workload: jobs as numpy arrays, a row each, in the order of their submission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from eureka_park.foundation.errors import BadInput

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]

RUN_S_MIN: Final = 1.0  # no job is taken to be shorter; s
FIRM: Final = 0
FLEX: Final = 1
GREEN: Final = 2
TIER_NAMES: Final = ("firm", "flex", "green")
BATCH: Final = 0
INTERACTIVE: Final = 1
SERVICE: Final = 2
CLASS_NAMES: Final = ("batch", "interactive", "service")
FINISHED: Final = 0
CANCELLED: Final = 1
FAILED: Final = 2
ENDING_NAMES: Final = ("finished", "cancelled", "failed")
DTYPES: Final[Mapping[str, type]] = {
    "submit_s": np.float64, "leaf": np.int32, "n_nodes": np.int32, "n_nodes_min": np.int32, "gpus": np.int32,
    "mcpu": np.int64, "mem_mib": np.int64, "tier": np.int8, "job_class": np.int8, "checkpoint": np.bool_,
    "priority": np.int32, "time_s": np.float64, "run_s": np.float64, "deadline_s": np.float64,
    "power_frac": np.float64, "after": np.int32, "image": np.int32, "gpu_type": np.int16,
    "is_first": np.bool_, "gpu_milli": np.int16, "ending": np.int8,
}  # fmt: skip
_FIX: Final = "Correct the workload, or leave the column out: it is then filled by the seed."


@dataclass(frozen=True, slots=True)
class NodeShape:
    """Machines of one kind: how many there are, and what one of them has."""

    n_nodes: int
    gpus: int
    mcpu: int
    mem_mib: int
    gpu_type: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Workload:
    """Jobs in the order of `submit_s`, which counts from the start of the run.

    `leaf` and `gpu_type` index `leaves` (paths of the share tree) and `gpu_types` (-1: any). `gpus`, `mcpu`
    (thousandths of a CPU) and `mem_mib` are asked of each of `n_nodes` nodes; `n_nodes_min` 0 means not elastic.
    `time_s` is the declared run time, `run_s` the true work at full speed, `deadline_s` an instant (inf: none).
    `power_frac` is the true dynamic power over the rated one, 0.1 to 1. `after` is an earlier row that must have ended,
    or -1; rows of one `image` draw much alike. `gpu_milli` is how much of its one GPU is wanted, in thousandths.
    `ending` says how a job ends after its `run_s`: by itself, by its owner, or by an error. `filled` counts by column
    the rows that a trace did not hold.
    """

    leaves: tuple[str, ...]
    submit_s: Floats
    leaf: Ints
    n_nodes: Ints
    n_nodes_min: Ints
    gpus: Ints
    mcpu: Longs
    mem_mib: Longs
    tier: Bytes
    job_class: Bytes
    checkpoint: Flags
    priority: Ints
    time_s: Floats
    run_s: Floats
    deadline_s: Floats
    power_frac: Floats
    after: Ints
    image: Ints
    gpu_type: npt.NDArray[np.int16]
    is_first: Flags
    gpu_milli: npt.NDArray[np.int16]
    ending: Bytes
    gpu_types: tuple[str, ...] = ()
    filled: Mapping[str, int] = field(default_factory=dict)

    @property
    def n_jobs(self) -> int:
        """How many jobs there are."""
        return len(self.submit_s)

    @property
    def n_gpus(self) -> Floats:
        """GPUs of each job in all; a part of one counts as that."""
        return self.gpus.astype(np.int64) * self.n_nodes * self.gpu_milli / 1000.0

    @property
    def gpu_s(self) -> Floats:
        """True work of each job; GPU seconds."""
        return np.asarray(self.n_gpus * self.run_s)

    def validate(self) -> Workload:
        """This workload, checked. Raises BadInput with the column and the first row (from 1) that is wrong."""
        for name, dtype in DTYPES.items():
            column = getattr(self, name)
            if len(column) != self.n_jobs or column.dtype != dtype:
                told = f"'{name}' has {len(column)} values of {column.dtype}, not {self.n_jobs} of {np.dtype(dtype)}."
                raise BadInput(told, fix=_FIX, field=name)
        for name, is_right, what in self._claims():
            if not is_right.all():
                row = int(np.argmin(is_right))
                told = f"Job {row + 1}: {name} = {getattr(self, name)[row]} is wrong: {what}."
                raise BadInput(told, fix=_FIX, field=name)
        return self

    def _claims(self) -> tuple[tuple[str, Flags, str], ...]:
        later = np.concatenate([[0.0], self.submit_s[:-1]])[: self.n_jobs]
        rows = np.arange(self.n_jobs)
        return (
            ("submit_s", np.isfinite(self.submit_s) & (self.submit_s >= later), "instants rise from 0 s on"),
            ("leaf", (self.leaf >= 0) & (self.leaf < len(self.leaves)), f"there are {len(self.leaves)} leaves"),
            ("n_nodes", self.n_nodes >= 1, "at least 1"),
            ("n_nodes_min", (self.n_nodes_min >= 0) & (self.n_nodes_min <= self.n_nodes), "from 0 to n_nodes"),
            ("gpus", self.gpus >= 0, "at least 0"),
            ("mcpu", self.mcpu >= 1, "at least 1"),
            ("mem_mib", self.mem_mib >= 1, "at least 1"),
            ("tier", (self.tier >= FIRM) & (self.tier <= GREEN), "0 firm, 1 flex, 2 green"),
            ("job_class", (self.job_class >= BATCH) & (self.job_class <= SERVICE), "0 batch, 1 interactive, 2 service"),
            ("run_s", np.isfinite(self.run_s) & (self.run_s > 0), "more than 0 s"),
            ("time_s", np.isfinite(self.time_s) & (self.time_s > 0), "more than 0 s"),
            ("deadline_s", self.deadline_s > self.submit_s, "after the submission"),
            ("power_frac", (self.power_frac >= 0.1) & (self.power_frac <= 1.0), "from 0.1 to 1"),
            ("after", (self.after >= -1) & (self.after < rows), "an earlier row, or -1"),
            ("image", self.image >= 0, "at least 0"),
            ("gpu_type", (self.gpu_type >= -1) & (self.gpu_type < len(self.gpu_types)), "one of gpu_types, or -1"),
            ("gpu_milli", (self.gpu_milli >= 1) & (self.gpu_milli <= 1000), "from 1 to 1000"),
            ("gpu_milli", (self.gpu_milli == 1000) | ((self.gpus == 1) & (self.n_nodes == 1)), "a part is of one GPU"),
            ("ending", (self.ending >= FINISHED) & (self.ending <= FAILED), "0 finished, 1 cancelled, 2 failed"),
        )  # fmt: skip

    def fitted(self, shapes: Sequence[NodeShape]) -> Workload:
        """This workload, when each job could run on an empty site. Raises BadInput with the first that could not."""
        fits = np.zeros(self.n_jobs, dtype=np.bool_)
        for shape in shapes:
            kind = self.gpu_types.index(shape.gpu_type) if shape.gpu_type in self.gpu_types else -2
            is_kind = (self.gpu_type == -1) | (self.gpu_type == kind)
            one = (self.gpus <= shape.gpus) & (self.mcpu <= shape.mcpu) & (self.mem_mib <= shape.mem_mib)
            fits |= is_kind & one & (np.maximum(1, self.least_nodes) <= shape.n_nodes)
        if not fits.all():
            row = int(np.argmin(fits))
            raise BadInput(
                f"Job {row + 1} asks for {self.n_nodes[row]} nodes with {self.gpus[row]} GPUs, "
                f"{self.mcpu[row] / 1000:g} CPUs and {self.mem_mib[row]} MiB each: no class of this site has them.",
                fix="Ask for less, or name a larger site.",
                field="n_nodes",
                code="larger_than_site",
            )
        return self

    @property
    def least_nodes(self) -> Ints:
        """Nodes with which a job can begin: all of them, unless it is elastic."""
        return np.where(self.n_nodes_min > 0, self.n_nodes_min, self.n_nodes)

    def rows(self, wanted: npt.NDArray[Any]) -> Workload:
        """The jobs of some rows (in rising order); who came after one that is left out comes after nobody."""
        index = np.arange(self.n_jobs)[wanted]
        place = np.full(self.n_jobs + 1, -1, dtype=np.int32)
        place[index] = np.arange(len(index), dtype=np.int32)
        columns = {name: getattr(self, name)[index] for name in DTYPES}
        columns["after"] = place[columns["after"]]
        return replace(self, **columns)


def workload_of(leaves: Sequence[str], columns: Mapping[str, Any], **more: Any) -> Workload:
    """A checked workload from columns of any number type; those that are missing take their plain value.

    Needed: submit_s, run_s. Without more, jobs are single-node batch jobs of tier flex with no GPU. Raises BadInput.
    """
    n = len(columns["submit_s"])
    plain: dict[str, Any] = {
        "leaf": 0, "n_nodes": 1, "n_nodes_min": 0, "gpus": 0, "mcpu": 1000, "mem_mib": 1024, "tier": FLEX,
        "job_class": BATCH, "checkpoint": False, "priority": 0, "time_s": columns["run_s"], "deadline_s": np.inf,
        "power_frac": 1.0, "after": -1, "image": 0, "gpu_type": -1, "is_first": False,
        "gpu_milli": 1000, "ending": FINISHED,
    }  # fmt: skip
    unknown = set(columns) - set(DTYPES)
    if unknown:
        raise BadInput(f"'{min(unknown)}' is no column of a workload.", fix=_FIX, field=min(unknown))
    whole: dict[str, Any] = {}
    for name, dtype in DTYPES.items():
        given = columns[name] if name in columns else plain[name]
        _check_range(name, np.asarray(given), np.dtype(dtype))
        whole[name] = np.array(np.broadcast_to(given, n), dtype=dtype, order="C")  # its own: one form of all kernels
    return Workload(leaves=tuple(leaves), **whole, **more).validate()


def _check_range(name: str, given: npt.NDArray[Any], dtype: np.dtype[Any]) -> None:
    """Raise BadInput, with the first row, for a number that its column would hold as another one."""
    if dtype.kind != "i" or given.dtype.kind not in "iuf":
        return
    least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
    is_held = (given >= least) & (given <= most)
    if not is_held.all():
        row = int(np.argmin(np.atleast_1d(is_held)))
        told = f"Job {row + 1}: {name} = {np.atleast_1d(given)[row]} is wrong: from {least} to {most}."
        raise BadInput(told, fix=_FIX, field=name)


assert set(DTYPES) < {item.name for item in fields(Workload)}
