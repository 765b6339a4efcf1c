"""Sentences about the twin's traces and requests, by their form; see `cli/errors.py`."""

from __future__ import annotations

from typing import Final

from eureka_park.cli.words import N_

SAID_BY_THE_TWIN: Final = (
    N_("{file}, line {line}: {column} = '{value}' is no number."),
    N_("{file}, line {line}: {column} = '{value}' is no time."),
    N_("{file}, line {line}: {column} = {value} is no whole number from 0 on."),
    N_("{file}, line {line}: {column} = '{value}' is none of {words}."),
    N_("{file}, line {line}: leaf = '{value}' is no path such as physics/lattice."),
    N_("{file}, line {line}: {column} is empty."),
    N_("{file}, line {line}: {column} is infinite."),
    N_("{file}, line {line}: there are {n} values, not {wanted}."),
    N_("{file}, line {line}: jobs wait for each other: {chain}."),
    N_("{file}, line {line}: job '{job}' stands also at line {other}."),
    N_("{file}, line {line}: the job comes after '{job}', which is submitted later."),
    N_("{file}, line {line}: the job asks for GPUs; this site has none."),
    N_(
        "{file}, line {line}: the job asks for {nodes} nodes with {gpus} GPUs, {cpus} CPUs and {memory} MiB each: no "
        "class of this site has them."
    ),
    N_("{file}, line {line}: the job: {column} = {value} is wrong: {why}."),
    N_("{file} has no column '{column}'."),
    N_("{file} has a column '{column}', which is none of a trace."),
    N_("{file} has 'after' but no column 'job'."),
    N_("{file} names a column twice."),
    N_("{file} holds no jobs."),
    N_("{file} is no Parquet file."),
    N_("No job of the trace falls into these days."),
    N_("Run for longer."),
    N_("Ask for less, or name a larger site."),
    N_("The columns of a trace are described in docs/guide/twin.md."),
    N_("Correct the workload, or leave the column out: it is then filled by the seed."),
)
