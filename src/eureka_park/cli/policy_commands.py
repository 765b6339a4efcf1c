"""`park policy show`, `check` and `use`: the policy of a home or of a site, and what a file would change in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from eureka_park.cli.errors import sentence
from eureka_park.cli.lazy import FAILURE, server_part
from eureka_park.cli.output import clean, json_option, print_json, say
from eureka_park.cli.params import home_option
from eureka_park.cli.site import machine_facts
from eureka_park.cli.words import _, count
from eureka_park.client.address import default_home
from eureka_park.foundation.errors import Conflict, NotFound

if TYPE_CHECKING:
    from eureka_park.adapters.home import Home
    from eureka_park.foundation.policy_file import PolicyChange, PolicyProblem
    from eureka_park.foundation.site_file import Site

_F = TypeVar("_F", bound=Callable[..., Any])


def _site_option(function: _F) -> _F:
    return click.option("--site", "site_name", default=None, help="A built-in site or a site file instead of a park.")(
        function
    )


@click.command()
@_site_option
@home_option
@json_option
def show(site_name: str | None, home: Path | None, as_json: bool) -> None:
    """Show the policy of this machine's park, or of a site, as a policy file: each field with its meaning and range.

    \b
    park policy show
    park policy show > mine.toml
    park policy show --site eureka-park --json
    """
    with server_part("policy show"):
        from eureka_park.adapters.home_policy import is_behind
        from eureka_park.foundation.policy_file import policy_text

        found, house = _present(site_name, home)
        is_own = house is not None and _has_file(house)
        is_next = house is not None and _is_running(house) and is_behind(house, found)
        if as_json:
            shares = [share.model_dump(mode="json") for share in found.shares]
            kept = {"policy": found.policy.model_dump(mode="json"), "shares": shares}
            came = {"from": "policy.toml" if is_own else "site", "from_next_start": is_next}
            print_json({"site": found.name, **came, **kept})
            return
        click.echo(policy_text(found), nl=False)
    if is_own:
        say(_("this is the site's policy under the file given to park policy use."))
    if is_next:
        say(_("the running park decides by another one until its next start."))


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@_site_option
@home_option
@json_option
def check(file: Path, site_name: str | None, home: Path | None, as_json: bool) -> None:
    """Check a policy file: all that is wrong with it, or that it is fine and what it would change.

    \b
    park policy check mine.toml
    park policy check mine.toml --site eureka-park
    """
    with server_part("policy check"):
        from eureka_park.foundation.policy_file import policy_changes, policy_file_text, policy_problems, read_policy

        text = policy_file_text(file)
        stop_if_wrong(policy_problems(text, file.name), as_json)
        given = read_policy(text, file.name)
        changes: tuple[PolicyChange, ...] | None = None
        if site_name is not None or _house(home).exists():
            now, house = _present(site_name, home)
            base = now if house is None else _default_site(house)
            changes = policy_changes(now, given.over(base, file.name))
    if as_json:
        print_json({"is_valid": True, "changes": None if changes is None else [asdict(item) for item in changes]})
        return
    click.echo(_("{file} is fine.", file=file.name))
    if changes is None:
        click.echo(_("There is no park here to compare it with; name a site with --site."))
    else:
        print_changes(changes)


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--site-default", is_flag=True, help="Take the file away: the site's own policy holds again.")
@home_option
@json_option
def use(file: Path | None, site_default: bool, home: Path | None, as_json: bool) -> None:
    """Let this machine's park start with a policy file. A park that runs goes on as it is until its next start.

    The file is copied into the home. What it leaves out is the site's own.

    \b
    park policy use mine.toml
    park policy use --site-default
    """
    if (file is None) != site_default:
        raise click.UsageError(_("name a policy file, or give --site-default."))
    with server_part("policy use"):
        from eureka_park.adapters.home_policy import drop_policy, put_policy
        from eureka_park.foundation.policy_file import policy_changes, policy_file_text, policy_problems, read_policy

        house = existing_home(home)
        base, text = _default_site(house), None
        then = base
        if file is not None:
            text = policy_file_text(file)
            stop_if_wrong(policy_problems(text, file.name), as_json)
            then = read_policy(text, file.name).over(base, file.name)
        changes = policy_changes(_now_or(house, base), then)
        had = _has_file(house)
        if text is None:
            drop_policy(house)
        else:
            put_policy(house, text)
    is_running = _is_running(house)
    if as_json:
        print_json({"changes": [asdict(item) for item in changes], "is_running": is_running})
        return
    if file is None and not had:
        click.echo(_("There was no policy file: the site's own policy holds."))
        return
    print_changes(changes)
    click.echo(
        _("It holds from the next start on: park down, then park up.")
        if is_running
        else _("It holds when the park starts: park up.")
    )


def _present(site_name: str | None, home: Path | None) -> tuple[Site, Home | None]:
    """The site with the policy that holds, and the home it came from; None for a site that was named."""
    from eureka_park.adapters.home_policy import home_site
    from eureka_park.foundation.site_reading import load_site

    if site_name is not None and home is not None:
        raise click.UsageError(_("give one of --site and --home."))
    if site_name is not None:
        return load_site(site_name, machine_facts()), None
    house = existing_home(home)
    return home_site(house, machine_facts()), house


def _default_site(house: Home) -> Site:
    from eureka_park.adapters.home_policy import home_site

    return home_site(house, machine_facts(), is_default=True)


def _now_or(house: Home, base: Site) -> Site:
    """The site under its present policy file; the site's own where that file cannot be used: it is to be replaced."""
    from eureka_park.adapters.home_policy import home_site
    from eureka_park.foundation.errors import BadInput

    with suppress(BadInput):
        return home_site(house, machine_facts())
    return base


def _house(home: Path | None) -> Home:
    from eureka_park.adapters.home import Home

    return Home((home or default_home()).absolute())


def existing_home(home: Path | None) -> Home:
    """The home on this machine. Raises NotFound where no park was made."""
    house = _house(home)
    if not house.exists():
        raise NotFound(f"There is no park in {house.folder}.", fix="Name its folder with --home.", code="no_home")
    return house


def _has_file(house: Home) -> bool:
    from eureka_park.adapters.home_policy import POLICY

    return house.read(POLICY) is not None


def _is_running(house: Home) -> bool:
    """Whether a park holds this home now."""
    try:
        house.lock()()
    except Conflict:
        return True
    return False


def stop_if_wrong(problems: Sequence[PolicyProblem], as_json: bool) -> None:
    """Say all that is wrong and end with a failure; nothing for a good file."""
    if not problems:
        return
    if as_json:
        print_json({"is_valid": False, "problems": [asdict(problem) for problem in problems]})
    else:
        for problem in problems:
            click.echo(clean(sentence(problem.message)), err=True)
        click.echo(_("Every field is in docs/reference/site-file.md."), err=True)
    raise click.exceptions.Exit(FAILURE)


def print_changes(changes: Sequence[PolicyChange]) -> None:
    """What changes against the policy that holds, a field a line."""
    if not changes:
        click.echo(_("It changes nothing."))
        return
    click.echo(count("It changes one field:", "It changes {n} fields:", len(changes)))
    for change in changes:
        click.echo(f"  {clean(change.field)}: {_value(change.now)} -> {_value(change.then)}")


def _value(value: Any) -> str:
    if value is None:
        return _("not listed")
    if isinstance(value, float):
        return f"{value:.12g}"
    return "[" + ", ".join(map(_value, value)) + "]" if isinstance(value, tuple) else clean(value)
