"""`park weather describe`: a weather file in figures and in a plot of blocks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from eureka_park.cli.energy_options import server_part
from eureka_park.cli.output import clean, console, json_option, print_json
from eureka_park.cli.words import N_, _

if TYPE_CHECKING:
    from eureka_park.energy.core.readers.park_csv import ParkWeather
    from eureka_park.energy.core.weather_summary import Month, WeatherSummary

SHADES: Final = " ░▒▓█"
BAR_CELLS: Final = 24
STRIP_MAX: Final = 73
SHOWN: Final = {
    "dni": ("dni_w_per_m2", N_("direct normal irradiance, W/m2")),
    "ghi": ("ghi_w_per_m2", N_("global irradiance, W/m2")),
    "wind": ("wind_m_per_s", N_("wind speed, m/s")),
    "temp": ("temp_c", N_("air temperature, degC")),
}


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--show", type=click.Choice(tuple(SHOWN)), help="What is plotted; default: dni, or wind without sun.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.svg", help="Plot to write.")
@json_option
def describe(file: Path, show: str | None, out: Path | None, as_json: bool) -> None:
    """Describe a weather file: sums, months, the law of the wind, physical checks, hours against days.

    \b
    park weather describe ouarzazate-1.park.csv
    park weather describe koudia-1.park.csv --show wind --out koudia.svg
    """
    with server_part("weather describe"):
        from eureka_park.energy.core.weather_summary import describe as summary_of
        from eureka_park.energy.weather_file import read_weather_file

        found = read_weather_file(file)
        summary = summary_of(found.year, found)
        shown = show or ("dni" if summary.dni_kwh_per_m2 > 0 else "wind")
        if out is not None:
            _write_picture(out, found, summary, shown)
    if as_json:
        print_json(_facts(found) | {"path": str(file), "picture": out and str(out)} | summary.to_json())
        return
    _print(found, summary, shown)
    if out is not None:
        click.echo(_("{file} is written.", file=out))


def _facts(found: ParkWeather) -> dict[str, Any]:
    told = found.year.provenance
    return {
        "place": found.year.weather_site, "latitude_deg": found.latitude_deg, "longitude_deg": found.longitude_deg,
        "altitude_m": found.altitude_m, "wind_height_m": found.year.wind_height_m, "label": told.label,
        "origin": told.origin, "licence": told.licence, "content_id": told.content_id, "seed": told.seed,
        "header": dict(found.extra),
    }  # fmt: skip


def _print(found: ParkWeather, summary: WeatherSummary, shown: str) -> None:
    told = found.year.provenance
    click.echo(f"{clean(found.year.weather_site)}: {clean(told.text)}; {clean(told.licence)}")
    if summary.bright_days_frac is None:
        click.echo(_("Sun: none."))
    else:
        click.echo(_sun_text(summary, summary.bright_days_frac))
    click.echo(
        _(
            "Air: {low} to {high} degC, mean {mean}; humidity {humidity}; pressure {pressure} hPa.",
            low=f"{summary.temp_c_min:.1f}", high=f"{summary.temp_c_max:.1f}", mean=f"{summary.temp_c_mean:.1f}",
            humidity=f"{summary.humidity_frac_mean:.0%}", pressure=f"{summary.pressure_pa_mean / 100:.0f}",
        )
    )  # fmt: skip
    click.echo(_wind_text(found, summary))
    if summary.closure_rms_w_per_m2 is not None:
        click.echo(
            _(
                "GHI less DHI + DNI cos z: {rms} W/m2 rms; {outside} of the sunlit hours outside the limits.",
                rms=f"{summary.closure_rms_w_per_m2:.1f}", outside=f"{summary.closure_outside_frac or 0.0:.1%}",
            )
        )  # fmt: skip
    _print_months(summary.months, shown)
    _print_strip(found, shown)
    if not summary.faults:
        click.echo(_("No gaps, and nothing looks wrong."))
    for fault in summary.faults:
        mark = _("wrong") if fault.is_grave else _("look")
        click.echo(f"{mark}: {clean(_(_sentence(fault.code), **fault.values))}")


def _sun_text(summary: WeatherSummary, bright_frac: float) -> str:
    return _(
        "Sun: DNI {dni}, GHI {ghi}, DHI {dhi} kWh/m2; clear days {days}.",
        dni=f"{summary.dni_kwh_per_m2:,.0f}", ghi=f"{summary.ghi_kwh_per_m2:,.0f}",
        dhi=f"{summary.dhi_kwh_per_m2:,.0f}", days=f"{bright_frac:.0%}",
    )  # fmt: skip


def _wind_text(found: ParkWeather, summary: WeatherSummary) -> str:
    if summary.wind_k is None:
        return _("Wind: none.")
    height = found.year.wind_height_m
    return _(
        "Wind: mean {mean} m/s, most {most} m/s, Weibull k {k}, scale {scale} m/s; {height}.",
        mean=f"{summary.wind_m_per_s_mean:.2f}", most=f"{summary.wind_m_per_s_max:.1f}", k=f"{summary.wind_k:.2f}",
        scale=f"{summary.wind_scale_m_per_s:.2f}",
        height=_("at the hub") if height is None else _("{m} m above ground", m=f"{height:g}"),
    )  # fmt: skip


def _sentence(code: str) -> str:
    from eureka_park.energy.core.weather_checks import FAULTS

    return FAULTS[code]


def _month_value(month: Month, shown: str) -> float:
    return {
        "dni": month.dni_kwh_per_m2, "ghi": month.ghi_kwh_per_m2, "wind": month.wind_m_per_s_mean,
        "temp": month.temp_c_mean,
    }[shown]  # fmt: skip


def _print_months(months: tuple[Month, ...], shown: str) -> None:
    from rich.text import Text

    out = console()
    top = max(*(_month_value(month, shown) for month in months), 1e-9)
    head = f"{_('month'):>5} {'DNI':>6} {'GHI':>6} {'DHI':>6} {'degC':>6} {'m/s':>5}"
    out.print(Text(head, style="bold"), no_wrap=True, crop=False)
    for month in months:
        row = (
            f"{month.number:>5} {month.dni_kwh_per_m2:>6.0f} {month.ghi_kwh_per_m2:>6.0f} {month.dhi_kwh_per_m2:>6.0f} "
            f"{month.temp_c_mean:>6.1f} {month.wind_m_per_s_mean:>5.1f} "
        )
        line = Text(row)
        line.append("█" * max(0, round(_month_value(month, shown) / top * BAR_CELLS)), style=_style(shown))
        out.print(line, no_wrap=True, crop=False)


def _print_strip(found: ParkWeather, shown: str) -> None:
    """Rows of two hours, columns of some days; the more of it, the darker."""
    from rich.text import Text

    from eureka_park.energy.core.weather_summary import hours_by_stretch

    out = console()
    column, meaning = SHOWN[shown]
    n_columns = max(12, min(STRIP_MAX, out.width - 8))
    hours = hours_by_stretch(getattr(found.year, column), n_columns)
    rows = (hours[0::2] + hours[1::2]) / 2
    low = float(rows.min()) if shown == "temp" else 0.0
    top = max(float(rows.max()), low + 1e-9)
    out.print(Text(_("Hours (UTC) by days of the year: {what}", what=_(meaning))), no_wrap=True, crop=False)
    for index, row in enumerate(rows):
        marks = "".join(SHADES[min(len(SHADES) - 1, int((value - low) / (top - low) * len(SHADES)))] for value in row)
        line = Text(f"{2 * index:02d}:00 ")
        line.append(marks, style=_style(shown))
        out.print(line, no_wrap=True, crop=False)


def _style(shown: str) -> str:
    return {"dni": "yellow", "ghi": "yellow", "wind": "cyan", "temp": "red"}[shown]


def _write_picture(out: Path, found: ParkWeather, summary: WeatherSummary, shown: str) -> None:
    from eureka_park.energy.core.weather_picture import picture
    from eureka_park.energy.weather_file import write_whole

    column, meaning = SHOWN[shown]
    bars = {
        "dni": _("Direct normal irradiation by month, kWh/m2"), "ghi": _("Global irradiation by month, kWh/m2"),
        "wind": _("Mean wind speed by month, m/s"), "temp": _("Mean temperature by month, degC"),
    }[shown]  # fmt: skip
    told = found.year.provenance
    text = picture(
        [_month_value(month, shown) for month in summary.months],
        bars,
        getattr(found.year, column),
        _("Hours (UTC) by days of the year: {what}", what=_(meaning)),
        f"{found.year.weather_site}: {told.text}",
        f"{told.origin}; {told.licence}; {told.content_id[:16]}",
    )
    write_whole(out, text.encode())
