"""`park ledger`: whether the books of this machine's park are right."""

from __future__ import annotations

import time
from pathlib import Path

import click

from eureka_park.cli.output import clean, json_option, print_json
from eureka_park.cli.params import home_option
from eureka_park.cli.words import _
from eureka_park.client.address import default_home


@click.group()
def ledger() -> None:
    """The books: energy, credits and money, in double entry."""


@ledger.command("verify")
@home_option
@json_option
def verify_ledger(home: Path | None, as_json: bool) -> None:
    """Check that everything adds up; exit 1 and say what does not. The park may run meanwhile.

    Every transaction balances; balances and sums by day are those of their postings; accounts, tiers and receipts are
    the meter's energy; what jobs hold lies aside for them; no job costs more than it was promised; no invoice is
    missing.

    \b
    park ledger verify
    """
    from eureka_park.bootstrap import open_park

    begun_s = time.monotonic()
    park = open_park((home or default_home()).absolute())
    try:
        faults = park.ledger.verify()
    finally:
        park.close()
    if as_json:
        print_json({"is_sound": not faults, "faults": faults})
    elif not faults:
        click.echo(_("The books are right. [{time_s:.1f} s]", time_s=time.monotonic() - begun_s))
    else:
        for fault in faults:
            click.echo(clean(fault))
    if faults:
        raise click.exceptions.Exit(1)
