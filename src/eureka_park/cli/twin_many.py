"""What `park twin sweep` and `park twin compare` share: the runs that are asked for, and the progress of many."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from eureka_park.cli.energy_options import DEFAULT_SITE, weather_files
from eureka_park.cli.output import clean, say
from eureka_park.cli.progress import is_live
from eureka_park.cli.twin_run import columns_of
from eureka_park.cli.twin_watch import PARTS
from eureka_park.cli.words import _, count
from eureka_park.foundation.units import MIB, duration_text

if TYPE_CHECKING:
    from eureka_park.twin.sweep import Row, Sweep, Wanted

SAID_EVERY_S: Final = 5.0
NAMES: Final = (
    "site", "policy", "seed", "load", "days", "jobs", "trace", "demand_of_supply", "weather", "scenario", "faults",
    "map", "bound",
)  # fmt: skip


def grid_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options whose product are the runs; the command gets them as one `asked`, names with what was given."""
    options = (
        click.option("--policy", multiple=True, metavar="NAMES",
                     help="Policies, such as park,fcfs-easy; a policy file FILE.toml is the park's policy under it."),
        click.option("--seed", multiple=True, metavar="SEEDS", help="Seeds, such as 1..3 or 1,4; default: 1."),
        click.option("--load", multiple=True, metavar="SHARES",
                     help="Requested GPU hours over those of the site, such as 0.5,0.8."),
        click.option("--days", multiple=True, metavar="DAYS", help="Length; default: as in park twin run."),
        click.option("--jobs", multiple=True, metavar="N", help="Number of jobs; default: what fills the load."),
        click.option("--trace", multiple=True, metavar="FILE", help="Jobs from a file instead; may be repeated."),
        click.option("--site", multiple=True, metavar="NAME|FILE",
                     help="Built-in sites or site files; default: eureka-park."),
        click.option("--demand-of-supply", multiple=True, metavar="SHARES",
                     help="Scale the plants until what is requested is so much of what they give on average."),
        click.option("--weather", multiple=True, metavar="[PLACE=]FILE",
                     help="A weather file instead of synthetic years; one for each place of the site."),
        click.option("--scenario", multiple=True, metavar="NAMES", help="Which plants stand still: all-plants, "
                     "noor-iii-out, historical-availability."),
        click.option("--faults", multiple=True, metavar="WORDS|FILE.toml",
                     help="What goes wrong, as in park twin run; may be repeated: each is another run."),
        click.option("--map", multiple=True, metavar="OURS=THEIRS,...", help="What the trace calls the columns."),
        click.option("--bound/--no-bound", default=None,
                     help="Say how clean each run could have been with all known in advance; default: yes."),
    )  # fmt: skip

    def gathered(**values: Any) -> Any:
        given = {name: values.pop(name) for name in NAMES}
        asked = {name: value for name, value in given.items() if value not in ((), None)}
        return command(asked=asked, **values)

    gathered.__doc__, gathered.__name__ = command.__doc__, command.__name__
    gathered.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    found: Callable[..., Any] = gathered
    for option in reversed(options):
        found = option(found)
    return found


def loaded_site(name: str) -> Any:
    """A site by name or file."""
    from eureka_park.cli.site import machine_facts
    from eureka_park.foundation.site_reading import load_site

    return load_site(name, machine_facts())


def wanted_runs(asked: dict[str, Any], file: Path | None) -> list[Wanted]:
    """The runs that options and a file ask for; options go before what stands at the top of the file."""
    from eureka_park.twin.sweep_grid import Reads, product, read_file

    reads = Reads(
        loaded_site, lambda site, texts: weather_files(site, tuple(texts)), lambda texts: columns_of(tuple(texts))
    )
    found: list[Wanted] = []
    for table in read_file(file) if file is not None else [{}]:
        found += product({"site": DEFAULT_SITE, **table, **asked}, reads)
    return found


def run_all(runs: Sequence[Wanted], *, out: Path | None, workers: int | None, again: bool, ray: str | None,
            quiet: bool) -> Sweep:  # fmt: skip
    """Do all runs, or take over what was done before. Raises BadInput; Ctrl-C leaves the sweep interrupted."""
    from eureka_park.energy.crew import n_cores
    from eureka_park.twin.foresight import memory_free_bytes
    from eureka_park.twin.sweep import sweep_of
    from eureka_park.twin.sweep_crew import Crew, Processes
    from eureka_park.twin.sweep_memory import check_each, n_at_once

    sweep = sweep_of(runs, out, again=again)
    todo = [row.wanted for row in sweep.rows if not row.is_over]
    crew: Crew
    if ray is not None:
        from eureka_park.twin.sweep_ray import RayCrew

        crew = RayCrew(ray, workers, max((one.foreseen_mib for one in todo), default=0.0))
    else:
        sweep.memory_mib = memory_free_bytes() / MIB
        check_each(todo, sweep.memory_mib)
        n_asked = workers or min(n_cores(), max(1, len(todo)))
        n_workers = n_at_once(todo, n_asked, sweep.memory_mib)
        if n_workers < n_asked and not quiet:
            say(count("memory lets {n} run go on at once, not {asked}",
                      "memory lets {n} runs go on at once, not {asked}", n_workers, asked=n_asked))  # fmt: skip
        crew = Processes(n_workers)
    with Board(quiet=quiet) as board:
        sweep.run(crew, board.show)
    return sweep


def world_text(row: Row) -> str:
    """A run in a few words: its policy, its seed, and its load where one is asked for."""
    request, policy = row.wanted.request, clean(row.wanted.policy)
    if request.load_frac is None:
        return _("{policy}, seed {seed}", policy=policy, seed=request.seed)
    return _("{policy}, seed {seed}, load {load}", policy=policy, seed=request.seed, load=f"{request.load_frac:g}")


class Board:
    """Progress on stderr: on a terminal a bar for all and one for each run that goes on; else now and then a line."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet, self._n_said, self._said_s = quiet, 0, time.monotonic()
        self._live: Any = None
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Board:
        if not self._quiet and is_live():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            console = Console(file=sys.stderr, highlight=False)
            columns = (BarColumn(24), TextColumn("{task.description}", markup=False))
            self._live = Progress(*columns, console=console, transient=True, refresh_per_second=4)
            self._live.start()
        return self

    def __exit__(self, *_error: Any) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, sweep: Sweep) -> None:
        """Show how a sweep stands."""
        if self._live is not None:
            self._draw(sweep)
        elif not self._quiet:
            self._tell(sweep)

    def _draw(self, sweep: Sweep) -> None:
        lines = {"": (_n_over(sweep) / max(1, len(sweep.rows)), _standing(sweep))}
        for at in sorted(sweep.running):
            row = sweep.rows[at]
            lines[row.wanted.name] = (row.frac, f"{world_text(row)}: {_part(sweep, row)}")
        for name in [name for name in self._tasks if name not in lines]:
            self._live.remove_task(self._tasks.pop(name))
        for name, (frac, text) in lines.items():
            if name not in self._tasks:
                self._tasks[name] = self._live.add_task(text, total=1.0)
            self._live.update(self._tasks[name], completed=frac, description=text)

    def _tell(self, sweep: Sweep) -> None:
        n_over, now_s = _n_over(sweep), time.monotonic()
        if n_over > self._n_said and now_s - self._said_s >= SAID_EVERY_S:
            self._n_said, self._said_s = n_over, now_s
            say(_standing(sweep))


def _n_over(sweep: Sweep) -> int:
    return sum(row.is_over for row in sweep.rows)


def _standing(sweep: Sweep) -> str:
    text = count("{done} of {n} run", "{done} of {n} runs", len(sweep.rows), done=_n_over(sweep))
    left_s = sweep.left_s
    if left_s is None or not sweep.running:
        return text
    return _("{done}, about {left} left", done=text, left=duration_text(left_s))


def _part(sweep: Sweep, row: Row) -> str:
    if not row.part:
        return _("making compiled code ready")
    text = _(PARTS[row.part]) if row.part in PARTS else row.part
    text = f"{text} {row.frac:.0%}" if row.frac > 0.0 else text
    left_s = sweep.run_left_s(row)
    return text if left_s is None else _("{done}, about {left} left", done=text, left=duration_text(left_s))
