"""Sentences about records of other schedulers, by their form; see `cli/errors.py`."""

from __future__ import annotations

from typing import Final

from eureka_park.cli.words import N_

SAID_BY_OBSERVE: Final = (
    N_("'{text}' is no power of a GPU."),
    N_("Write it as KIND=WATTS, such as a100=400."),
    N_("{file}, line {line}: no hour and intensity."),
    N_("There is no time zone '{name}'."),
    N_("Name one such as Europe/Paris or Africa/Casablanca."),
    N_("There is no sacct here."),
    N_("There is no scontrol here."),
    N_("No machine is known."),
    N_("Give the machines: --nodes FILE, of scontrol show node."),
    N_("The output of sacct has no column {column}."),
    N_("The clock of {zone} shows '{stamp}' twice: it is changed then."),
    N_("The clock of {zone} shows '{stamp}' never: it is changed then."),
    N_("Print stamps as seconds: SLURM_TIME_FORMAT=%s sacct ..."),
    N_("'{stamp}' is local time, and nothing says of which zone."),
    N_("Print stamps as seconds: SLURM_TIME_FORMAT=%s sacct ..., or say --timezone Europe/Paris."),
    N_("park observe slurm --commands says what to type on the cluster."),
    N_(
        "Run this where Slurm's commands are, or bring their words here: park observe slurm --commands says which to "
        "type; then: --from jobs.txt --nodes nodes.txt"
    ),
    N_("This is no output of sacct: its first line has no JobID."),
    N_("This is no output of 'scontrol show node': no record begins with NodeName=."),
    N_("There is no sacctmgr here."),
    N_("No job was waiting or running from {start} to {end}."),
    N_("Look at more days: --days 90; without root Slurm may show your own jobs only."),
    N_("Look at more days: --days 90."),
)
