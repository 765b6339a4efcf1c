"""`park status`: the park in a few lines."""

from __future__ import annotations

from typing import Final

import click

from eureka_park.cli.output import clean, json_option, park, print_json
from eureka_park.cli.words import N_, _

_PLANS: Final = {
    "late": N_("plan      of {at} is followed until {until}; a newer one is overdue"),
    "over": N_("plan      of {at} ended {until}; the grid alone is counted on until there is a new one"),
}


@click.command()
@json_option
def status(as_json: bool) -> None:
    """Print whether the park is ready, its site, its clocks and its jobs by state.

    \b
    park status
    park status --json
    """
    here = park()
    found = here.status()
    if as_json:
        print_json({**found, "url": here.url})
        return
    from eureka_park.cli.times import instant_text

    scale = _(", a scale model") if found["scale_model"] else ""
    paced = _(", pace {factor}", factor=f"{found['pace']:g}") if found["pace"] != 1 else ""
    able = ", ".join(map(clean, found["capabilities"])) or _("only run")
    counts = ", ".join(f"{count} {_(clean(state))}" for state, count in found["jobs"].items() if count)
    ready = _("ready") if found["ready"] else _("not ready")
    lines: tuple[str, ...] = (
        _("{url}: {ready}, version {version}", url=here.url, ready=ready, version=clean(found["version"])),
        _("site      {site}{scale}; sky {sky}", site=clean(found["site"]), scale=scale, sky=clean(found["sky"])),
        _("park time {time}{paced}", time=instant_text(found["park_at"]), paced=paced),
        _("isolation {level}; can {able}", level=clean(found["sandbox_level"]), able=able),
        _("jobs      {counts}", counts=counts or _("none yet")),
    )
    plan = found.get("plan")  # an older park does not tell
    told = _PLANS.get(plan["standing"]) if plan else None
    if plan and told is not None:
        lines += (_(told, at=instant_text(plan["issued_at"] or ""), until=instant_text(plan["until"] or "")),)
        lines += (f"          {clean(plan['fault'])}",) if plan["fault"] else ()
    for line in lines:
        click.echo(line)
    if not found["live"]["alive"]:
        click.echo(_("the deciding process is away: nothing starts until it is back"))
