"""Sentences about a Slurm cluster: why jobs waited, what its figures rest on. Terminal and page say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from eureka_park.cli.output import clean
from eureka_park.cli.words import N_, _
from eureka_park.foundation.units import duration_text

REASONS: Final[Mapping[str, str]] = {
    "no_free_gpu": N_("too few GPUs were free"),
    "no_free_cpu": N_("too few CPUs were free"),
    "fragmented": N_("enough was free, but scattered over machines"),
    "no_cpu_beside_gpu": N_("GPUs were free, the CPUs beside them were not"),
    "no_memory": N_("GPUs and CPUs were free, the memory beside them was not"),
    "order": N_("there was room: others came first, by priority, fair share or a reserved start"),
    "limit": N_("there was room: a limit of the account, quality of service or partition held it back"),
    "out_of_service": N_("machines were out of service"),
    "reserved": N_("machines were reserved or in maintenance"),
    "dependency": N_("it came after another job"),
    "begin_time": N_("it was not to begin earlier"),
    "held": N_("it was held by hand"),
    "array_limit": N_("its array runs only so many tasks at once"),
    "not_eligible": N_("it was not eligible: another job, a time, a hold or a limit"),
    "turn": N_("Slurm's own round, up to a minute"),
    "not_sampled": N_("shorter than the samples, or no machine of its partition is known"),
}  # fmt: skip
_NUMBERS: Final[Mapping[str, str]] = {
    "no_free_gpu": N_("{free} GPUs free, {asked} asked for"),
    "no_free_cpu": N_("{free} CPUs free, {asked} asked for"),
    "fragmented": N_("{free} free in all, {most} at most on one machine, {each} needed on {n_nodes}"),
    "no_cpu_beside_gpu": N_("{n_fit} machines had GPUs and CPUs, {n_nodes} needed"),
    "no_memory": N_("{n_fit} machines had GPUs, CPUs and memory, {n_nodes} needed"),
    "order": N_("{free} free, {asked} asked for; {n_waiting} jobs waited for {gpus_waiting} GPUs"),
    "limit": N_("{free} free, {asked} asked for"),
    "out_of_service": N_("{n_out} of {n_machines} machines out; {free} free on the others, {asked} asked for"),
    "reserved": N_("{free} free, {asked} asked for"),
}  # fmt: skip


def reason_text(reason: str) -> str:
    """A reason in words."""
    return _(REASONS[reason])


def numbers_text(item: Mapping[str, Any]) -> str:
    """The numbers that decided a wait; empty where the reason has none."""
    form = _NUMBERS.get(item["queued"]) if item["reason"] == item["queued"] else None
    return (
        _(form, **{name: f"{value:,}" for name, value in item["numbers"].items()}) if form and item["numbers"] else ""
    )


def assumed_lines(assumed: Mapping[str, Any]) -> list[str]:
    """What the figures rest on."""
    lines = [
        _("Energy is modelled: a held GPU draws its idle power and {percent} of what lies above it.",
          percent=f"{assumed['power_frac']:.0%}"),
        _("Site power over that of machines (PUE): {pue}.", pue=f"{assumed['pue']:g}"),
        _("Carbon: {g} g/kWh, {source}.", g=f"{assumed['gco2_per_kwh']:,.0f}", source=clean(assumed["gco2_source"])),
    ]  # fmt: skip
    lines += [
        _("A GPU {kind} with its part of the machine: {idle} W idle, {held} W held, {rated} W at most ({source}).",
          kind=clean(kind), idle=f"{row['idle']:,.0f}", held=f"{row['held']:,.0f}", rated=f"{row['rated']:,.0f}",
          source=clean(row["source"]))
        for kind, row in assumed.get("gpu_w", {}).items()
    ]  # fmt: skip
    if assumed.get("machines_from") == "jobs":
        lines.append(_("Machines are those that jobs ran on, as large as what was held there; --nodes names them."))
    if assumed.get("kept_frac", 1.0) < 1.0:
        lines.append(
            _("Reasons are those of {percent} of the jobs that waited.", percent=f"{assumed['kept_frac']:.1%}")
        )
    return lines


def caution_lines(found: Mapping[str, Any]) -> list[str]:
    """What a reader should know of the record itself."""
    lines = []
    rows = found["rows"]
    if rows["n_wrong"]:
        lines.append(_("{n} lines contradict themselves and are left out; the first: {first}.",
                       n=f"{rows['n_wrong']:,}", first=clean(rows["first_wrong"])))  # fmt: skip
    if found["jobs"]["n_users"] == 1:
        lines.append(_("All jobs are of one user: without root, Slurm may show only your own."))
    if not found["machines"]["n_events"]:
        lines.append(_("When machines were out of service is not known: their GPUs count as free."))
    return lines


def span_text(found: Mapping[str, Any]) -> str:
    """From when to when, in UTC."""
    return _(
        "{start} to {end} UTC", start=found["from_at"][:16].replace("T", " "), end=found["to_at"][:16].replace("T", " ")
    )


def energy_text(kwh: float) -> str:
    """Energy with a unit that suits it."""
    return f"{kwh / 1000.0:,.1f} MWh" if abs(kwh) >= 10_000.0 else f"{kwh:,.1f} kWh"


def mass_text(kg: float) -> str:
    """A mass of CO2 with a unit that suits it."""
    if abs(kg) >= 10_000.0:
        return f"{kg / 1000.0:,.1f} t"
    return f"{kg:,.1f} kg" if abs(kg) >= 1.0 or kg == 0.0 else f"{kg * 1000.0:,.0f} g"


def wait_text(seconds: float) -> str:
    """A wait."""
    return duration_text(seconds)
