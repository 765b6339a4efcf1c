"""Weather files of every form, written out of one small sky: hand-made, no real measurement in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from math import cos, pi

ROW = tuple[datetime, float, float, float, float, float, float, float]
HEAD_EPW = "LOCATION,Testville,TV,MAR,invented,123456,34.50,-5.00,1.0,300.0"


def sky(start: datetime, n_rows: int, step: timedelta = timedelta(hours=1), noon_h: float = 12.33) -> Iterator[ROW]:
    """Start, GHI, DNI, DHI (W/m2), air (degC), humidity (%), pressure (hPa), wind (m/s): round numbers, a clear sun."""
    for index in range(n_rows):
        at = start + index * step
        hour = at.hour + at.minute / 60 + step.total_seconds() / 7200
        day = at.timetuple().tm_yday
        length = 12 - 2.2 * cos(2 * pi * (day + 10) / 365)
        height = max(0.0, cos(pi * (hour - noon_h) / length)) if abs(hour - noon_h) < length / 2 else 0.0
        dni = round(800 * height**0.4) if height > 0.05 else 0
        dhi = round(90 * height)
        yield (
            at,
            round(dni * 0.85 * height + dhi),
            dni,
            dhi,
            round(15 + 8 * height, 1),
            55 + day % 7,
            980 + day % 5,
            4.5,
        )


def epw(rows: list[ROW]) -> str:
    """Eight header lines and hours named by their end."""
    head = [HEAD_EPW, "DESIGN CONDITIONS,0", "TYPICAL/EXTREME PERIODS,0", "GROUND TEMPERATURES,0"]
    head += [
        "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0",
        "COMMENTS 1,made by hand",
        "COMMENTS 2,",
        "DATA PERIODS,1,1,Data,Sunday,1/1,12/31",
    ]
    lines = [
        f"{at.year},{at.month},{at.day},{at.hour + 1},0,?,{t},9.9,{rh},{p * 100},0,0,300,{ghi},{dni},{dhi},0,0,0,0,180,"
        f"{wind},0,0,20,77777,9,999999999,99,0.1,0,88,0.2,0,0"
        for at, ghi, dni, dhi, t, rh, p, wind in rows
    ]
    return "\n".join([*head, *lines]) + "\n"


def sam_csv(rows: list[ROW]) -> str:
    """As the NSRDB writes it, stamps in the middle of the hour."""
    lines = ["Source,Location ID,City,Latitude,Longitude,Time Zone,Elevation", "invented,1,-,34.5,-5.0,1,300"]
    lines.append("Year,Month,Day,Hour,Minute,DNI,DHI,GHI,Relative Humidity,Temperature,Pressure,Wind Speed")
    lines += [
        f"{at.year},{at.month},{at.day},{at.hour},30,{dni},{dhi},{ghi},{rh},{t},{p},{wind}"
        for at, ghi, dni, dhi, t, rh, p, wind in rows
    ]
    return "\n".join(lines) + "\n"


def tmy3(rows: list[ROW]) -> str:
    """Hours 01:00 to 24:00."""
    lines = ['700000,"TESTVILLE",TV,1.0,34.5,-5.0,300']
    lines.append(
        "Date (MM/DD/YYYY),Time (HH:MM),GHI (W/m^2),DNI (W/m^2),DHI (W/m^2),Dry-bulb (C),RHum (%),Pressure (mbar),"
        "Wspd (m/s)"
    )
    lines += [
        f"{at:%m/%d/%Y},{at.hour + 1:02d}:00,{ghi},{dni},{dhi},{t},{rh},{p},{wind}"
        for at, ghi, dni, dhi, t, rh, p, wind in rows
    ]
    return "\n".join(lines) + "\n"


def _pvgis_records(rows: list[ROW]) -> list[dict[str, object]]:
    return [
        {"time(UTC)": f"{at:%Y%m%d:%H}00", "T2m": t, "RH": rh, "G(h)": ghi, "Gb(n)": dni, "Gd(h)": dhi, "IR(h)": 300.0,
         "WS10m": wind, "WD10m": 180.0, "SP": p * 100.0}
        for at, ghi, dni, dhi, t, rh, p, wind in rows
    ]  # fmt: skip


def pvgis_tmy_json(rows: list[ROW]) -> str:
    """The typical year as PVGIS 5.2 answers it."""
    inputs = {
        "location": {"latitude": 34.5, "longitude": -5.0, "elevation": 300.0},
        "meteo_data": {"radiation_db": "PVGIS-SARAH2", "meteo_db": "ERA5"},
    }
    months = [{"month": month, "year": 2010 + month % 3} for month in range(1, 13)]
    outputs = {"months_selected": months, "tmy_hourly": _pvgis_records(rows)}
    return json.dumps({"inputs": inputs, "outputs": outputs, "meta": {"inputs": {"location": {}}}})


def pvgis_tmy_csv(rows: list[ROW]) -> str:
    """The typical year as CSV, with its legend below."""
    head = [
        "Latitude (decimal degrees): 34.500",
        "Longitude (decimal degrees): -5.000",
        "Elevation (m): 300.0",
        "month,year",
    ]
    head += [f"{month},{2010 + month % 3}" for month in range(1, 13)]
    records = _pvgis_records(rows)
    head.append(",".join(records[0]))
    return "\r\n".join([*head, *(",".join(map(str, record.values())) for record in records)]) + (
        "\r\n\r\nT2m: 2-m air temperature (degree Celsius)\r\nPVGIS (c) European Union, 2001-2026\r\n"
    )


def pvgis_hourly_csv(rows: list[ROW], slope: str = "0 deg. ") -> str:
    """Hours of a level plane with components."""
    head = ["Latitude (decimal degrees):\t34.500", "Longitude (decimal degrees):\t-5.000", "Elevation (m):\t300",
            "Radiation database:\tPVGIS-SARAH2", "", "", f"Slope: {slope}", "Azimuth: 0 deg. ", "",
            "time,Gb(i),Gd(i),Gr(i),H_sun,T2m,WS10m,Int"]  # fmt: skip
    lines = [f"{at:%Y%m%d:%H}11,{ghi - dhi},{dhi},0.0,10.0,{t},{wind},0.0" for at, ghi, _, dhi, t, _, _, wind in rows]
    return "\n".join([*head, *lines]) + "\n\nGb(i): Beam (direct) irradiance\n"


def pvgis_hourly_json(rows: list[ROW], slope: float = 0) -> str:
    """Hours of a level plane with components, as JSON."""
    inputs = {
        "location": {"latitude": 34.5, "longitude": -5.0, "elevation": 300.0},
        "meteo_data": {"radiation_db": "PVGIS-SARAH2"},
        "mounting_system": {"fixed": {"slope": {"value": slope, "optimal": False}}},
    }
    hourly = [
        {"time": f"{at:%Y%m%d:%H}11", "Gb(i)": ghi - dhi, "Gd(i)": dhi, "Gr(i)": 0.0, "H_sun": 10.0, "T2m": t,
         "WS10m": wind, "Int": 0.0}
        for at, ghi, _, dhi, t, _, _, wind in rows
    ]  # fmt: skip
    return json.dumps({"inputs": inputs, "outputs": {"hourly": hourly}, "meta": {"inputs": {}}})


def ninja(rows: list[ROW], unit: str = "kW/m2") -> str:
    """The raw columns of the point API."""
    meta = {
        "units": {"time": "UTC", "irradiance_direct": unit, "irradiance_diffuse": unit, "temperature": "C"},
        "params": {"lat": "34.5", "lon": "-5.0", "dataset": "merra2"},
    }
    lines = [
        "# Renewables.ninja Solar PV (Point API) - 34.5, -5.0 - Version: 1.1",
        "# Units: time in UTC",
        f"# {json.dumps(meta)}",
    ]
    lines.append("time,local_time,electricity,irradiance_direct,irradiance_diffuse,temperature")
    factor = 1000 if unit == "kW/m2" else 1
    lines += [
        f"{at:%Y-%m-%d %H:%M},{at:%Y-%m-%d %H:%M},0.1,{(ghi - dhi) / factor},{dhi / factor},{t}"
        for at, ghi, _, dhi, t, _, _, _ in rows
    ]
    return "\n".join(lines) + "\n"


def plain(rows: list[ROW], form: str = "%Y-%m-%d %H:%M", mark: str = ",") -> str:
    """A logger's CSV with kelvin and percent."""
    lines = [mark.join(["When", "GHI", "DNI", "DHI", "T [K]", "RH"])]
    lines += [
        mark.join([f"{at:{form}}", str(ghi), str(dni), str(dhi), f"{t + 273.15:.2f}", str(rh)])
        for at, ghi, dni, dhi, t, rh, _, _ in rows
    ]
    return "\n".join(lines) + "\n"
