"""The pictures of one run, each for wide screens and paper and again for narrow screens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from markupsafe import Markup

from eureka_park.twin.run_record import RunRecord
from eureka_park.web.charts.fair_dots import Tenant, fair_dots
from eureka_park.web.charts.month_stack import Month, month_stack
from eureka_park.web.charts.plan import Layer
from eureka_park.web.charts.report_heat import Column, report_heat
from eureka_park.web.charts.report_power import NARROW, SMALL, WIDE, Frame, Marks, report_power, top_of
from eureka_park.web.charts.share_bars import ShareRow, share_bars
from eureka_park.web.charts.wait_lines import Spread, wait_lines
from eureka_park.web.pages.words import N_, Words
from eureka_park.web.twin_report.hours import (
    KINDS,
    MONTHS_DAYS_MIN,
    Power,
    days_of,
    mean_day,
    months_of,
    typical_weeks,
)
from eureka_park.web.twin_report.measures import BY_GPU_H, TIERS, percent, value_of

WEEK_NAMES: Final = {
    "all": N_("All hours of the run"), "best": N_("The cleanest week"), "usual": N_("A usual week"),
    "worst": N_("The least clean week"),
}  # fmt: skip
TIER_TITLES: Final = {"firm": N_("Firm jobs"), "flex": N_("Flexible jobs"), "green": N_("Green jobs")}
COUNTED: Final = (("", N_("each job alike")), (BY_GPU_H, N_("by GPU hours")))
_KWH_PER_MWH: Final = 1000.0
_PLAN_LOADS: Final = 1.4
_REST_FRAC: Final = 1e-3  # of the load: less is not seen
_NIGHT_H: Final = 12  # a run of whole UTC days may reach a few hours into one more day of the site's clock


def both(draw: Callable[[bool], Markup]) -> Markup:
    """A picture drawn twice: for wide places and for narrow ones; the sheet shows one of them."""
    return Markup('<div class="wide">{}</div><div class="narrow">{}</div>').format(draw(False), draw(True))


def layers_of(power: Power, words: Words, hours: slice) -> list[Layer]:
    """From the ground: what served the load by kind, the grid, then what of each kind nobody drew; MW."""
    given = [
        *power.used.items(),
        ("grid", power.grid),
        *((f"{kind} rest", rest) for kind, rest in power.unused.items()),
    ]
    return [
        Layer(css, words.say(KINDS[css.partition(" ")[0]]), (series[hours] / _KWH_PER_MWH).tolist())
        for css, series in given
    ]


def legend_of(power: Power, words: Words) -> list[tuple[str, str]]:
    """Kinds that are drawn, with their names; what nobody drew too, where there was any."""
    found = [(kind, words.say(KINDS[kind])) for kind in (*power.used, "grid")]
    rest = max(power.unused, key=lambda kind: float(power.unused[kind].sum()))
    if float(power.unused[rest].sum()) > _REST_FRAC * float(power.load.sum()):
        found.append((f"{rest} rest", words.say("there, and not drawn")))
    return found


# Power ----------------------------------------------------------------------------------------------------------------


def weeks_of(power: Power, words: Words) -> list[dict[str, Any]]:
    """Typical weeks on one scale, or all of a short run; below each the same by day."""
    weeks = typical_weeks(power)
    shown = np.concatenate([np.arange(hours.start, hours.stop) for _, hours in weeks])
    there = power.there
    if power.planned is not None:  # a plan for the whole site, which nobody drew, shall not press the rest down
        there = np.maximum(there, np.minimum(power.planned, _PLAN_LOADS * float(power.load[shown].max())))
    top = top_of((there[shown] / _KWH_PER_MWH).tolist(), (power.load[shown] / _KWH_PER_MWH).tolist())
    return [_week(power, words, name, hours, top) for name, hours in weeks]


def _week(power: Power, words: Words, name: str, hours: slice, top_mw: float) -> dict[str, Any]:
    instants = power.hour_s[hours].tolist()
    first, last = words.day(instants[0]), words.day(instants[-min(len(instants), _NIGHT_H)])
    text = N_("{name}, {from} to {to}") if name == "all" else N_("{name}, {from} to {to}: {share} clean")
    told = words.say(text, name=words.say(WEEK_NAMES[name]), share=percent(power.share(hours), words),
                     **{"from": first, "to": last})  # fmt: skip
    marks = Marks([(at, words.day(instants[0] + 3600.0 * (at + 12))) for at in _midnights(instants, words)])
    layers = layers_of(power, words, hours)
    load = (power.load[hours] / _KWH_PER_MWH).tolist()
    planned = () if power.planned is None else (power.planned[hours] / _KWH_PER_MWH).tolist()

    def draw(is_narrow: bool) -> Markup:
        frame = NARROW if is_narrow else WIDE
        return report_power(layers, load, marks, words, told, frame=frame, planned_mw=planned, top_mw=top_mw)

    return {"told": told, "picture": both(draw), **_by_day(power, words, hours)}


def _midnights(instants: Sequence[float], words: Words) -> list[int]:
    """Hours at which a day of the site's clock begins; the first may lie a few hours before the picture."""
    hours = [words.local(instant).hour for instant in instants]
    found = [at for at, hour in enumerate(hours) if hour == 0]
    return [-hours[0], *found] if 0 < hours[0] <= _NIGHT_H / 2 else found


def _by_day(power: Power, words: Words, hours: slice) -> dict[str, Any]:
    """The same as a table: energy by kind and day of the site's clock."""
    days: dict[Any, list[int]] = {}
    for at in range(hours.start, hours.stop):
        days.setdefault(words.local(float(power.hour_s[at])).date(), []).append(at)
    series = [*((kind, used) for kind, used in power.used.items()), ("grid", power.grid)]
    rows = [
        [words.day(float(power.hour_s[at[len(at) // 2]])), *(words.energy(float(kwh[at].sum())) for _, kwh in series),
         words.energy(sum(float(rest[at].sum()) for rest in power.unused.values())), percent(power.share(at), words)]
        for at in days.values()
    ]  # fmt: skip
    heads = [words.say("Day"), *(words.say(KINDS[kind]) for kind, _ in series), words.say("not drawn"),
             words.say("Clean")]  # fmt: skip
    return {"heads": heads, "rows": rows}


def months_picture(power: Power, words: Words) -> dict[str, Any] | None:
    """The monthly stack; none for a short run."""
    if power.n < MONTHS_DAYS_MIN * 24:
        return None
    kinds = [*power.used.items(), ("grid", power.grid)]
    months, rows = [], []
    for name, hours in months_of(power, words):
        parts = [(kind, float(series[hours].sum()) / 1e6) for kind, series in kinds]
        share = percent(power.share(hours), words)
        months.append(Month(name, parts, words.percent(power.share(hours))))
        rows.append([name, *(words.energy(1e6 * gwh) for _, gwh in parts), share])
    label = words.say("Energy of the machines by month and source")
    heads = [words.say("Month"), *(words.say(KINDS[kind]) for kind, _ in kinds), words.say("Clean")]
    return {"picture": month_stack(months, words, label), "heads": heads, "rows": rows}


def heat_of(power: Power, words: Words, *, is_small: bool = False) -> dict[str, Any]:
    """Hours by days, and the same as means of three hours by month or by week."""
    days, shares = days_of(power, words)
    is_long = len(days) >= MONTHS_DAYS_MIN
    columns = []
    for index, (day, row) in enumerate(zip(days, shares, strict=True)):
        text = words.day(float(power.hour_s[0]) + 86_400.0 * index)
        if is_long:
            text = words.months()[day.month - 1] if day.day == 1 or index == 0 else ""
        columns.append(Column(row, text))
    label = words.say("Clean share of each hour: days from left to right, hours from top to bottom")
    if is_small:
        return {"picture": report_heat(columns, label, frame=SMALL)}
    full = float((power.shares > 0.999).mean())
    return {
        "picture": both(lambda is_narrow: report_heat(columns, label, frame=NARROW if is_narrow else WIDE)),
        "told": words.say("{share} of all hours were clean throughout.", share=percent(full, words)),
        **_by_hour(power, words),
    }


def _by_hour(power: Power, words: Words) -> dict[str, Any]:
    """Clean share by hour of the site's clock, over the whole run."""
    matched, load = (mean_day(power, words, series) for series in (power.matched, power.load))
    cells = [percent(part / whole if whole > 0.0 else 1.0, words) for part, whole in zip(matched, load, strict=True)]
    heads = [words.say("Hour"), *(f"{hour:02d}:00" for hour in range(0, 24, 2))]
    return {"heads": heads, "rows": [[words.say("Clean"), *cells[::2]]]}


def day_picture(power: Power, words: Words, frame: Frame = SMALL, top_mw: float = 0.0) -> Markup:
    """A mean day by the site's clock, small: what served the load, and what nobody drew."""
    layers = [
        Layer(layer.css, layer.name, mean_day(power, words, np.array(layer.mw)))
        for layer in layers_of(power, words, slice(0, power.n))
    ]
    load = mean_day(power, words, power.load / _KWH_PER_MWH)
    marks = Marks([(hour, f"{hour:02d}:00") for hour in (0, 6, 12, 18)], every_h=6, is_at_begin=True)
    label = words.say("A mean day: what served the machines hour by hour")
    return report_power(layers, load, marks, words, label, frame=frame, top_mw=top_mw)


# People ---------------------------------------------------------------------------------------------------------------


def waits_of(record: RunRecord, words: Words) -> dict[str, Any] | None:
    """Waits by tier, each job alike and by GPU hours."""
    groups = []
    for tier in TIERS:
        spreads = [
            Spread(words.say(counted), tier if not suffix else f"{tier} weighed", found)
            for suffix, counted in COUNTED
            if _is_spread(found := value_of(record.figures, f"wait_s{suffix}.{tier}"))
        ]
        if spreads:
            groups.append((words.say(TIER_TITLES[tier]), spreads))
    if not groups:
        return None
    label = words.say("Wait until the first start, by tier")
    return {
        "picture": both(lambda is_narrow: wait_lines(groups, words, label, is_narrow=is_narrow)),
        "heads": [words.say("Tier"), words.say("Counted"), words.say("mean"), "p50", "p95", "p99"],
        "rows": [
            [name, spread.name, *(words.duration(spread.waits_s[one]) for one in ("mean", "p50", "p95", "p99"))]
            for name, spreads in groups
            for spread in spreads
        ],
    }


def _is_spread(found: Any) -> bool:
    return isinstance(found, dict) and all(
        isinstance(found.get(name), int | float) for name in ("mean", "p50", "p95", "p99")
    )


def deadlines_of(record: RunRecord, words: Words) -> Markup:
    """Deadlines met by tier, for tiers that had any."""
    rows = []
    for tier, name in TIER_TITLES.items():
        for suffix, counted in COUNTED:
            frac = value_of(record.figures, f"deadline_hit_frac{suffix}.{tier}")
            if frac is not None and _has_deadlines(record, tier):
                rows.append(
                    ShareRow(words.joined((words.say(name), words.say(counted))), tier, frac, percent(frac, words))
                )
    if not rows:
        return Markup("")
    label = words.say("Deadlines met, by tier")
    return both(lambda is_narrow: share_bars(rows, label, is_narrow=is_narrow))


def _has_deadlines(record: RunRecord, tier: str) -> bool:
    """Whether the sample knows a deadline of the tier, or one was missed: 100 % of none says nothing."""
    if (value_of(record.figures, f"deadline_hit_frac.{tier}") or 0.0) < 1.0:
        return True
    deadlines, tiers = record.sample.get("deadline_s", ()), record.sample.get("tier", ())
    return any(one == tier and np.isfinite(due) for one, due in zip(tiers, deadlines, strict=False))


def fairness_of(record: RunRecord, words: Words) -> list[dict[str, Any]]:
    """Tenants by their work: service over entitlement, and time over that on own machines."""
    tenants = record.figures.get("tenants") or {}
    names = (
        ("served_frac", words.say("Service over what was due, by tenant"),
         words.say("Above the line: more than was due, which others left.")),
        ("rho_by_gpu_h", words.say("Time over that on own machines, by tenant"),
         words.say("Below the line: sooner than on machines of one’s own.")),
    )  # fmt: skip
    found = []
    for name, title, told in names:
        dots = [Tenant(leaf, one.get("gpu_h") or 0.0, one[name]) for leaf, one in tenants.items() if one.get(name)]
        picture = fair_dots(dots, words, title, words.say("GPU hours sent"))
        if picture:
            found.append({"title": title, "told": told, "picture": picture, **_ends(dots, words)})
    return found


def _ends(dots: Sequence[Tenant], words: Words) -> dict[str, Any]:
    """The tenants at both ends and the largest, as a table."""
    ordered = sorted(dots, key=lambda one: one.value)
    largest = sorted(dots, key=lambda one: -one.gpu_h)[:3]
    rows = dict.fromkeys((*ordered[:3], *largest, *ordered[-3:]))
    shown = [[one.name, words.number(one.gpu_h, 0), words.number(one.value, 2)] for one in rows]
    return {"heads": [words.say("Tenant"), words.say("GPU hours sent"), words.say("Value")], "rows": shown}
