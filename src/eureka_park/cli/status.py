"""`park status`: the park in a few lines."""

from __future__ import annotations

import click

from eureka_park.cli.output import clean, json_option, park, print_json


@click.command()
@json_option
def status(as_json: bool) -> None:
    """Print whether the park is ready, its site, its clocks and its jobs by state."""
    here = park()
    found = here.status()
    if as_json:
        print_json({**found, "url": here.url})
        return
    from eureka_park.cli.times import instant_text

    scale = ", a scale model" if found["scale_model"] else ""
    click.echo(f"{here.url}: {'ready' if found['ready'] else 'not ready'}, version {clean(found['version'])}")
    click.echo(f"site      {clean(found['site'])}{scale}; sky {clean(found['sky'])}")
    paced = f", pace {found['pace']:g}" if found["pace"] != 1 else ""
    click.echo(f"park time {instant_text(found['park_at'])}{paced}")
    click.echo(
        f"isolation {clean(found['sandbox_level'])}; can {', '.join(map(clean, found['capabilities'])) or 'only run'}"
    )
    counts = ", ".join(f"{count} {clean(state)}" for state, count in found["jobs"].items() if count)
    click.echo(f"jobs      {counts or 'none yet'}")
    if not found["live"]["alive"]:
        click.echo("the deciding process is away: nothing starts until it is back")
