"""The page about a Slurm cluster: one file with everything in it, light and dark, pictures as SVG, no script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from math import ceil, floor, log10
from typing import Any, Final

from eureka_park.cli.observe_slurm import asked_text
from eureka_park.cli.observe_words import (
    assumed_lines,
    caution_lines,
    energy_text,
    mass_text,
    numbers_text,
    reason_text,
    span_text,
    wait_text,
)
from eureka_park.cli.words import _, language

N_ROWS: Final = 40
_W, _START, _END, _ABOVE, _GROUND = 760.0, 64.0, 12.0, 22.0, 190.0
_STYLE: Final = """
:root{--ink:light-dark(#16213A,#EFE8DC);--paper:light-dark(#FAF6EF,#0E1424);--card:light-dark(#FFFFFF,#151D31);
--line:light-dark(#E8E0D3,#26304A);--mute:light-dark(#5E6678,#A3ABBD);--majorelle:light-dark(#4B3FD6,#9C93FF);
--wind:#1C8C7E;--salt:#E4572E;--pv:#F2B705;color-scheme:light dark}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.55 "Readex Pro",system-ui,sans-serif}main{max-inline-size:940px;margin-inline:auto;padding:16px 20px 60px}
h1{font-size:clamp(26px,4vw,40px);line-height:1.18;font-weight:560;max-inline-size:34ch;margin-block:28px 12px;
text-wrap:balance}h2{font-size:21px;font-weight:560;margin-block:44px 8px}p{max-inline-size:74ch;margin-block:0 10px}
.small,figcaption{color:var(--mute);font-size:13.5px}.three{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));
gap:12px 30px;border-block-start:2px solid var(--ink);padding-block-start:14px;margin-block-start:26px}
.three b{display:block;font-size:30px;line-height:1.2;font-weight:560;font-variant-numeric:tabular-nums}
.three span{color:var(--mute);font-size:14px}.scroll{overflow-x:auto}
table{border-collapse:collapse;inline-size:100%;font-size:14px}th,td{text-align:start;vertical-align:top;
padding-block:7px;padding-inline:0 16px;border-block-start:1px solid var(--line)}thead th{border:0;font-weight:520}
tbody th{font-weight:440}td.n,th.n{text-align:end;white-space:nowrap;font-variant-numeric:tabular-nums}
td.share{inline-size:28%}td.share svg{display:block;inline-size:100%;block-size:10px}
figure{margin:0 0 26px}figure svg{display:block;inline-size:100%;min-inline-size:560px;block-size:auto}
.bar{fill:var(--majorelle)}.free{fill:var(--wind);fill-opacity:.35}.asked{fill:none;stroke:var(--salt);stroke-width:2.4}
.wasted{fill:var(--salt);fill-opacity:.75}.rule{stroke:var(--line)}.tick{fill:var(--mute);font-size:12px}
.ground{fill:var(--line)}code{font:12.5px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}
.key{display:inline-block;inline-size:12px;block-size:12px;border-radius:3px;margin-inline:14px 6px;vertical-align:-1px}
@media (max-width:720px){.three{grid-template-columns:minmax(0,1fr)}}
@media print{body{background:#fff;font-size:10pt}h2{break-after:avoid}tr,figure{break-inside:avoid}}
"""


def page(found: Mapping[str, Any]) -> str:
    """The whole file."""
    title = _("What {name} tells", name=str(found["source"]))
    return "\n".join(
        (
            "<!doctype html>",
            f'<html lang="{language()}"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)} · Eureka Park</title><style>{_STYLE}</style></head><body><main>",
            *_opening(found),
            *_why(found),
            *_longest(found),
            *_pictures(found),
            *_table(_("Accounts"), found["by_account"]),
            *_table(_("Kinds of GPU"), found["by_kind"]),
            *_rests_on(found),
            "</main></body></html>\n",
        )
    )


def headline(found: Mapping[str, Any]) -> str:
    """What the record says in one sentence."""
    first = next((row for row in found["reasons"] if row["reason"] != "turn"), None)
    if first is None or first["wait_h"] < 1.0:
        return _("Nobody waited long.")
    return _("Jobs waited {hours} hours; for {percent} of them {why}.",
             hours=f"{sum(row['wait_h'] for row in found['reasons']):,.0f}", percent=f"{first['frac']:.0%}",
             why=reason_text(first["reason"]))  # fmt: skip


def _opening(found: Mapping[str, Any]) -> Iterable[str]:
    jobs, machines, energy, wait = found["jobs"], found["machines"], found["energy"], found["wait_s"]
    yield f"<h1>{escape(headline(found))}</h1>"
    told = _("{name}, {span}: {n} jobs of {users} users on {nodes} machines with {gpus} GPUs.",
             name=str(found["source"]), span=span_text(found), n=f"{jobs['n']:,}", users=f"{jobs['n_users']:,}",
             nodes=f"{machines['n_nodes']:,}", gpus=f"{machines['n_gpus']:,}")  # fmt: skip
    yield f"<p>{escape(told)}</p>"
    figures = (
        (wait_text(wait["p95"]), _("wait of 95 % of the jobs at most; half of them {p50}", p50=wait_text(wait["p50"]))),
        (energy_text(energy["kwh"]), _("energy of the jobs, modelled; {co2} of CO2", co2=mass_text(energy["gco2_kg"]))),
        (f"{found['idle_while_waiting_gpu_h']:,.0f} h",
         _("GPU hours free while jobs waited for as many, of {free} free", free=f"{found['gpu_h_free']:,.0f}")),
    )  # fmt: skip
    yield '<div class="three">'
    yield from (f"<div><b>{escape(value)}</b><span>{escape(what)}</span></div>" for value, what in figures)
    yield "</div>"
    yield from (f'<p class="small">{escape(line)}</p>' for line in caution_lines(found))


def _why(found: Mapping[str, Any]) -> Iterable[str]:
    yield _h2(_("Why jobs waited"))
    heads = (
        (_("why jobs waited"), ""),
        (_("of all waiting"), ' colspan="2"'),
        (_("hours"), ' class="n"'),
        (_("jobs"), ' class="n"'),
    )
    yield (
        "<table><thead><tr>"
        + "".join(f"<th{more}>{escape(head)}</th>" for head, more in heads)
        + "</tr></thead><tbody>"
    )
    most = max((row["frac"] for row in found["reasons"]), default=0.0) or 1.0
    for row in found["reasons"]:
        bar = (
            f'<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="ground" width="100" '
            f'height="10"/><rect class="bar" width="{100 * row["frac"] / most:.2f}" height="10"/></svg>'
        )
        yield (
            f'<tr><th scope="row">{escape(reason_text(row["reason"]))}</th><td class="share">{bar}</td>'
            f'<td class="n">{row["frac"]:.1%}</td><td class="n">{row["wait_h"]:,.1f}</td>'
            f'<td class="n">{row["n_jobs"]:,}</td></tr>'
        )
    yield "</tbody></table>"


def _longest(found: Mapping[str, Any]) -> Iterable[str]:
    if not found["longest"]:
        return
    yield _h2(_("The longest waits"))
    rows = (
        (item["job"], item["account"], asked_text(dict(item)), wait_text(item["before_s"] + item["queued_s"]),
         ": ".join(filter(None, (reason_text(item["reason"]), numbers_text(item)))))
        for item in found["longest"]
    )  # fmt: skip
    yield from _rows((_("job"), _("account"), _("asked for"), _("waited"), _("why")), rows, (3,))


def _table(title: str, rows: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    heads = (title, _("jobs"), _("GPU hours"), _("energy"), "CO2", _("wait p50"), _("wait p95"))
    yield _h2(title)
    cells = (
        (row["name"] or "–", f"{row['n_jobs']:,}", f"{row['gpu_h']:,.1f}", energy_text(row["kwh"]),
         mass_text(row["gco2_kg"]), wait_text(row["wait_s"]["p50"]), wait_text(row["wait_s"]["p95"]))
        for row in rows[:N_ROWS]
    )  # fmt: skip
    yield from _rows(heads, cells, range(1, 7))


def _h2(text: str) -> str:
    return f"<h2>{escape(text)}</h2>"


def _rows(heads: Sequence[str], rows: Iterable[Sequence[str]], figures: Sequence[int]) -> Iterable[str]:
    def css(at: int) -> str:
        return ' class="n"' if at in figures else ""

    yield '<div class="scroll"><table><thead><tr>'
    yield "".join(f'<th scope="col"{css(at)}>{escape(head)}</th>' for at, head in enumerate(heads))
    yield "</tr></thead><tbody>"
    for row in rows:
        yield "<tr>" + "".join(f"<td{css(at)}>{escape(str(value))}</td>" for at, value in enumerate(row)) + "</tr>"
    yield "</tbody></table></div>"


def _rests_on(found: Mapping[str, Any]) -> Iterable[str]:
    yield _h2(_("What these figures rest on"))
    yield from (f'<p class="small">{escape(line)}</p>' for line in assumed_lines(found["assumed"]))
    told = _(
        "Instants are UTC. Quantiles are exact to 1 %. Machines are looked at every {step}.",
        step=wait_text(found["step_s"]),
    )
    yield f'<p class="small">{escape(told)} <code>park twin replay --from {escape(_replay_name(found))}</code></p>'


def _replay_name(found: Mapping[str, Any]) -> str:
    return "slurm" if found["source"] == "sacct" else str(found["source"])


# Pictures ---------------------------------------------------------------------------------------


def _pictures(found: Mapping[str, Any]) -> Iterable[str]:
    yield _h2(_("Day by day"))
    days = _days(found["energy"]["by_hour"])
    yield _figure(_("Energy of the jobs, kWh a day"), _bars([kwh for _day, kwh in days], [day for day, _kwh in days]))
    by_day = found["by_day"]
    legend = "".join(
        f'<span class="key" style="background:{colour}"></span>{escape(text)}'
        for colour, text in (
            ("color-mix(in srgb,var(--wind) 35%,transparent)", _("free")),
            ("var(--salt)", _("asked for by jobs that waited (line); free meanwhile (area)")),
        )
    )
    yield _figure(_("GPUs, mean of each day"), _areas(by_day), legend)


def _figure(title: str, svg: str, legend: str = "") -> str:
    return f'<figure><figcaption>{escape(title)}{legend}</figcaption><div class="scroll">{svg}</div></figure>'


def _days(hours: Sequence[Mapping[str, Any]]) -> list[tuple[str, float]]:
    days: dict[str, float] = {}
    for hour in hours:
        days[hour["at"][:10]] = days.get(hour["at"][:10], 0.0) + hour["kwh"]
    return list(days.items())


def _svg(parts: Iterable[str], label: str) -> str:
    return f'<svg viewBox="0 0 {_W:g} {_GROUND + 26:g}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'


def _y(value: float, top: float) -> float:
    return _GROUND - value / top * (_GROUND - _ABOVE)


def _axes(top: float, days: Sequence[str]) -> Iterable[str]:
    step = _step(top)
    for index in range(floor(top / step + 1e-9) + 1):
        y = _y(index * step, top)
        yield f'<line class="rule" x1="{_START:g}" x2="{_W - _END:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="tick" x="{_START - 8:g}" y="{y + 4:.1f}" text-anchor="end">{index * step:,g}</text>'
    each = (_W - _START - _END) / max(1, len(days))
    for at in range(0, len(days), max(1, ceil(len(days) / 8))):
        x = _START + (at + 0.5) * each
        yield f'<text class="tick" x="{x:.1f}" y="{_GROUND + 18:g}" text-anchor="middle">{escape(days[at][5:])}</text>'


def _step(top: float) -> float:
    size = 10.0 ** floor(log10(top / 4))
    return next(size * part for part in (1, 2, 2.5, 5, 10) if size * part >= top / 4 * (1 - 1e-9))


def _bars(values: Sequence[float], days: Sequence[str]) -> str:
    top = max([*values, 1e-9])
    each = (_W - _START - _END) / max(1, len(values))
    bars = (
        f'<rect class="bar" x="{_START + at * each + each * 0.12:.1f}" y="{_y(value, top):.1f}" '
        f'width="{each * 0.76:.1f}" height="{_GROUND - _y(value, top):.1f}"><title>{days[at]}: {value:,.1f} kWh</title>'
        "</rect>"
        for at, value in enumerate(values)
    )
    return _svg([*_axes(top, days), *bars], _("Energy of the jobs, kWh a day"))


def _areas(rows: Sequence[Mapping[str, Any]]) -> str:
    top = max([*(max(row["free"], row["asked"]) for row in rows), 1e-9])
    each = (_W - _START - _END) / max(1, len(rows))
    parts = [*_axes(top, [row["at"][:10] for row in rows])]
    for name, css in (("free", "free"), ("wasted", "wasted")):
        steps = "".join(f"V{_y(row[name], top):.1f}H{_START + (at + 1) * each:.1f}" for at, row in enumerate(rows))
        parts.append(f'<path class="{css}" d="M{_START:g} {_GROUND:g}{steps}V{_GROUND:g}Z"/>')
    line = "".join(f"V{_y(row['asked'], top):.1f}H{_START + (at + 1) * each:.1f}" for at, row in enumerate(rows))
    parts.append(f'<path class="asked" d="M{_START:g} {_y(rows[0]["asked"], top):.1f}{line}"/>' if rows else "")
    return _svg(parts, _("GPUs, mean of each day"))
