"""Sentences about many runs of the twin, and about runs side by side, by their form; see `cli/errors.py`."""

from __future__ import annotations

from typing import Final

from eureka_park.cli.words import N_

SAID_BY_SWEEPS: Final = (
    N_("There is nothing to run."),
    N_("Name a policy and a seed at least."),
    N_("That makes {n} runs."),
    N_("Ask for at most {n}."),
    N_("'{name}' is nothing that runs may differ in."),
    N_("Name some of {names}."),
    N_("{name} = {value} is not right."),
    N_("{name} has no value."),
    N_("See the guide to the twin: docs/guide/twin.md#many-runs."),
    N_("'{word}' is no range."),
    N_("Write 1..3, of at most {n} values."),
    N_("There is no policy '{name}'."),
    N_("Name one of {names}, or a policy file FILE.toml."),
    N_("Give a TOML file of runs."),
    N_("{file}: runs is no list of tables."),
    N_("Write each as [[runs]]."),
    N_("Run {name} would hold about {needed} MiB; {free} MiB are free."),
    N_("Ask for fewer jobs or days, or a smaller site."),
    N_("There was not enough memory."),
    N_("Give fewer workers, jobs or days."),
    N_("The process of this run was ended by signal {n}; 9 often means that memory ran out."),
    N_("The process of this run ended without an answer, with exit code {n}."),
    N_("The run broke off: {why}."),
    N_("The table cannot be written into '{folder}': {why}."),
    N_("Make room; what has finished is kept in its 'runs' and is not run again."),
    N_("Ray is not installed."),
    N_("Install it: pip install 'eureka-park[ray]', or leave --ray out."),
    N_("No Ray cluster answers at '{address}': {why}."),
    N_("Start one with: ray start --head; then name its address, or --ray local."),
    N_("The cluster lost this run: {why}"),
    N_("A machine of the cluster has another version of this program."),
    N_("Install this one there."),
    N_("There is only one run to look at."),
    N_("Name two runs or two policies at least."),
    N_("Runs that are there and runs to be made do not go together."),
    N_("Name folders, or policies with --policy."),
    N_("Nothing to compare is named."),
    N_("Name folders of runs, or policies: --policy park,fcfs-easy"),
    N_("{run} failed: {why}"),
    N_("Name other policies."),
    N_("{option} says nothing to a journal."),
    N_("Leave it out."),
)
