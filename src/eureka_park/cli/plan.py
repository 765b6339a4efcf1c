"""`park plan`: the power of the next 48 hours as a text plot, one line of blocks per source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import click

from eureka_park.cli.errors import sentence
from eureka_park.cli.output import SOURCE_STYLES, clean, console, json_option, park, print_json
from eureka_park.cli.words import _

if TYPE_CHECKING:
    from eureka_park.client import PlanView

BLOCKS: Final = " ▁▂▃▄▅▆▇█"
HOURS: Final = 48
COLUMNS_MAX: Final = 96


@click.command()
@json_option
def plan(as_json: bool) -> None:
    """Plot what sun, salt, wind and grid can give over the next 48 hours, by source, beside the load.

    \b
    park plan
    park plan --json
    """
    found = park().plan()
    if as_json:
        print_json(found)
    else:
        print_plan(found)


def print_plan(found: PlanView) -> None:
    """The plot for people, then what every figure rests on."""
    from rich.text import Text

    from eureka_park.foundation.units import power_text

    now = found.get("now")
    if now:
        click.echo(clean(sentence(now["sentence"])))
    out = console()
    rows = plot_rows(found)
    label_width = max(len(name) for name, _ in rows)
    columns = columns_for(found, out.width - label_width - 14)
    top_mw = max((max(series, default=0.0) for _, series in rows), default=0.0)
    for name, series in rows:
        means = resampled(series, columns)
        line = Text(f"{clean(name):<{label_width}} ")
        line.append(blocks(means, top_mw), style=SOURCE_STYLES.get(name, ""))
        line.append(f" {power_text(max(series, default=0.0)):>9}")
        out.print(line, no_wrap=True, crop=False)
    out.print(Text(f"{'UTC':<{label_width}} {hour_axis(found, columns)}      {_('max')}"), no_wrap=True, crop=False)
    for name, text in found["labels"].items():
        if text:
            click.echo(f"{clean(name)}: {clean(text)}")


def plot_rows(plan_view: PlanView) -> list[tuple[str, list[float]]]:
    """Name and series (MW) of each line: sources that can give, then clean power in all, grid drawn and load."""
    n = n_intervals(plan_view)
    rows = [(name, list(series[:n])) for name, series in plan_view["available_by_source_mw"].items() if name != "grid"]
    rows.append((_("clean in all"), list(plan_view["clean_available_mw_p50"][:n])))
    rows.append((_("grid"), list(plan_view["by_source_mw"].get("grid", ())[:n]) or [0.0] * n))
    rows.append((_("load"), list(plan_view["load_mw"][:n])))
    return rows


def n_intervals(plan_view: PlanView) -> int:
    """How many intervals of the plan are plotted: at most 48 hours."""
    return min(len(plan_view["load_mw"]), int(HOURS * 3600 // plan_view["step_s"]))


def columns_for(plan_view: PlanView, room: int) -> int:
    """How many columns fit: one per interval where there is room, never more than 96, never fewer than 12."""
    return max(1, min(n_intervals(plan_view), COLUMNS_MAX, max(12, room)))


def resampled(series: Sequence[float], columns: int) -> list[float]:
    """The series as `columns` means over equal stretches."""
    n = len(series)
    means = []
    for column in range(min(columns, n)):
        part = series[column * n // columns : max(column * n // columns + 1, (column + 1) * n // columns)]
        means.append(sum(part) / len(part))
    return means


def blocks(means: Sequence[float], top_mw: float) -> str:
    """A line of blocks on a scale from 0 to `top_mw`; anything above nothing shows at least a sliver."""
    levels = len(BLOCKS) - 1
    if top_mw <= 0:
        return BLOCKS[0] * len(means)
    return "".join(BLOCKS[0 if mean <= top_mw * 1e-4 else max(1, round(mean / top_mw * levels))] for mean in means)


def hour_axis(plan_view: PlanView, columns: int) -> str:
    """Hours of the day (UTC) under the columns, every six hours where they fit."""
    from datetime import UTC, datetime

    axis = [" "] * columns
    span_s = n_intervals(plan_view) * plan_view["step_s"]
    first = plan_view["start_s"] // 21600 * 21600
    at_s = first if first >= plan_view["start_s"] else first + 21600
    while at_s < plan_view["start_s"] + span_s:
        column = int((at_s - plan_view["start_s"]) / span_s * columns)
        mark = f"{datetime.fromtimestamp(at_s, UTC):%H}h"
        if column + len(mark) <= columns and all(
            character == " " for character in axis[max(0, column - 1) : column + len(mark)]
        ):
            axis[column : column + len(mark)] = mark
        at_s += 21600
    return "".join(axis)
