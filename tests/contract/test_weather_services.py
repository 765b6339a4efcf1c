"""PVGIS, NASA POWER and Open-Meteo: the adapters against a server on loopback that answers as the services do.

The answers are written by hand in the services' own form; no network is needed.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from tests.helpers import weather_forms as forms
from tests.unit.cli.conftest import one_json, run  # noqa: F401

from eureka_park.adapters.weather import http
from eureka_park.adapters.weather.nasa_power import fetch_nasa_power
from eureka_park.adapters.weather.open_meteo import fetch_open_meteo
from eureka_park.adapters.weather.pvgis import fetch_pvgis
from eureka_park.energy.core.weather_import import Place, Wish, import_year
from eureka_park.energy.weather_file import read_weather
from eureka_park.foundation.errors import BadInput, ParkError, RateLimited, TooLarge, Unavailable

pytestmark = pytest.mark.skipif(find_spec("pvlib") is None, reason="the extra 'weather' is not installed")

Answer = tuple[int, dict[str, str], bytes]
PLACE = Place("test", 34.5, -5.0, 300.0)
ANY = Wish("id", accept=True)
YEAR = list(forms.sky(datetime(2021, 1, 1, tzinfo=UTC), 8760))
WEEK = YEAR[:168]


class Server(ThreadingHTTPServer):
    """Answers in turn, the last one again and again; keeps what was asked."""

    answers: list[Answer | None]
    asked: list[tuple[str, dict[str, list[str]]]]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    server: Server  # type: ignore[assignment]

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.server.asked.append((parts.path, parse_qs(parts.query)))
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer is None:  # the line is cut in the middle of an answer
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
            return
        status, headers, content = answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_words: object) -> None:
        pass


@contextmanager
def serving(*answers: Answer | None) -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.answers, server.asked = list(answers), []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http.time, "sleep", lambda _s: None)


def good(text: str) -> Answer:
    return 200, {"Content-Type": "application/json"}, text.encode()


def nasa(rows: list[forms.ROW]) -> str:
    """As NASA POWER answers: a dictionary of hours by parameter, kPa and percent."""
    stamps = [f"{row[0]:%Y%m%d%H}" for row in rows]
    values = {
        "ALLSKY_SFC_SW_DWN": [row[1] for row in rows], "ALLSKY_SFC_SW_DNI": [row[2] for row in rows],
        "ALLSKY_SFC_SW_DIFF": [row[3] for row in rows], "T2M": [row[4] for row in rows],
        "RH2M": [row[5] for row in rows], "PS": [row[6] / 10 for row in rows],
        "WS50M": [-999.0] + [6.5] * (len(rows) - 1),
    }  # fmt: skip
    return json.dumps(
        {
            "geometry": {"coordinates": [-5.0, 34.5, 310.0]},
            "properties": {"parameter": {name: dict(zip(stamps, row, strict=True)) for name, row in values.items()}},
            "header": {"title": "hourly", "fill_value": -999.0}, "times": {}, "parameters": {},
        }
    )  # fmt: skip


def meteo(rows: list[forms.ROW], wind: str, **odd: Any) -> str:
    """As Open-Meteo answers: light is the mean of the hour before the stamp."""
    hourly: dict[str, list[Any]] = {
        "time": [int(row[0].timestamp()) for row in rows],
        "shortwave_radiation": [0, *(row[1] for row in rows[:-1])],
        "direct_normal_irradiance": [0, *(row[2] for row in rows[:-1])],
        "diffuse_radiation": [0, *(row[3] for row in rows[:-1])],
        "temperature_2m": [row[4] for row in rows], "relative_humidity_2m": [row[5] for row in rows],
        "surface_pressure": [row[6] for row in rows], wind: [7.25 for _ in rows],
    }  # fmt: skip
    units = {
        "time": "unixtime",
        "temperature_2m": "°C",
        "relative_humidity_2m": "%",
        "surface_pressure": "hPa",
        wind: "m/s",
    }
    units |= dict.fromkeys(("shortwave_radiation", "direct_normal_irradiance", "diffuse_radiation"), "W/m²")
    value = {"latitude": 34.5, "longitude": -5.0, "elevation": 305.0, "hourly_units": units, "hourly": hourly}
    return json.dumps({**value, **odd})


def test_pvgis_typical_year() -> None:
    text = forms.pvgis_tmy_json(YEAR)
    with serving(good(text)) as server:
        reading, came = fetch_pvgis(34.5, -5.0, url=server.url)
        assert server.asked == [("/tmy", {"lat": ["34.5"], "lon": ["-5.0"], "outputformat": ["json"]})]
    assert came.content == text.encode() and came.url.startswith(server.url)
    year = import_year(reading, PLACE, ANY).year
    assert year.dni_w_per_m2.tolist() == [row[2] for row in YEAR] and year.wind_height_m == 10
    assert year.provenance.label == "reanalysis" and "European Union" in year.provenance.licence


def test_pvgis_hours_of_a_year() -> None:
    with serving(good(forms.pvgis_hourly_json(YEAR))) as server:
        reading, _ = fetch_pvgis(34.5, -5.0, 2021, server.url)
        path, asked = server.asked[0]
    assert path == "/seriescalc" and (asked["startyear"], asked["components"]) == (["2021"], ["1"])
    found = import_year(reading, PLACE, ANY)
    assert np.allclose(found.year.ghi_w_per_m2, [row[1] for row in YEAR])
    assert "no DNI in the file" in found.year.provenance.origin


def test_nasa_power() -> None:
    with serving(good(nasa(YEAR))) as server:
        reading, _ = fetch_nasa_power(34.5, -5.0, 2021, server.url)
        _, asked = server.asked[0]
    assert asked["start"] == ["20210101"] and asked["time-standard"] == ["utc"] and asked["community"] == ["re"]
    assert "WS50M" in asked["parameters"][0] and "ALLSKY_SFC_SW_DNI" in asked["parameters"][0]
    assert reading.columns["pressure_pa"][5] == pytest.approx(YEAR[5][6] * 100)
    assert reading.columns["humidity_frac"][5] == pytest.approx(YEAR[5][5] / 100)
    assert np.isnan(reading.columns["wind_m_per_s"][0]) and reading.wind_height_m == 50
    with pytest.raises(BadInput, match="wind_m_per_s: 1 hours have no value: 1 Jan 00:00"):
        import_year(reading, PLACE, ANY)
    with pytest.raises(BadInput, match="the hours of a year") as caught:
        fetch_nasa_power(34.5, -5.0, None)
    assert "--year" in caught.value.fix


def test_open_meteo_of_a_past_year() -> None:
    rows = [*YEAR, *forms.sky(datetime(2022, 1, 1, tzinfo=UTC), 24)]
    with serving(good(meteo(rows, "wind_speed_100m"))) as server:
        reading, _ = fetch_open_meteo(34.5, -5.0, 2021, server.url)
        path, asked = server.asked[0]
    assert path == "/archive" and asked["end_date"] == ["2022-01-01"] and asked["wind_speed_unit"] == ["ms"]
    year = import_year(reading, PLACE, Wish("id", accept=True, year=2021)).year
    assert year.ghi_w_per_m2.tolist() == [row[1] for row in YEAR]
    assert year.temp_c.tolist() == [row[4] for row in YEAR]
    assert year.provenance.licence.startswith("CC BY 4.0") and "non-commercial" in year.provenance.licence


def test_open_meteo_forecast_becomes_hours_of_a_year(run: Callable[..., Any], tmp_path: Path) -> None:  # noqa: F811
    rows = list(forms.sky(datetime(2026, 11, 25, tzinfo=UTC), 16 * 24))
    with serving(good(meteo(rows, "wind_speed_80m"))) as server:
        out = tmp_path / "k.csv"
        words = (
            "weather",
            "fetch",
            "open-meteo",
            "--place",
            "koudia",
            "--url",
            server.url,
            "--out",
            str(out),
            "--json",
        )
        told = one_json(run(*words))
        assert server.asked[0][1]["forecast_days"] == ["16"]
    year = read_weather(out)
    first = (datetime(2026, 11, 25, tzinfo=UTC).timetuple().tm_yday - 1) * 24
    assert year.wind_m_per_s[first : first + 383].tolist() == [7.25] * 383 and year.wind_m_per_s[first - 1] != 7.25
    assert year.provenance.label == told["label"] == "forecast"
    assert "2026-11-25 00:00 to 2026-12-10 23:00 UTC; all other hours: synthetic" in told["origin"]
    raw = Path(told["raw_path"])
    assert raw.name == "k.raw.json" and json.loads(raw.read_text())["elevation"] == 305.0


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        ((400, {}, b'{"message": "Location over the sea. Please select another.", "status": 400}'), BadInput,
         "PVGIS refused the request (400): Location over the sea. Please select another."),
        ((404, {}, b"<html>no</html>"), BadInput, "PVGIS refused the request (404)."),
        ((429, {}, b"{}"), RateLimited, "PVGIS has had too many requests from here."),
        ((529, {}, b'{"message": "busy\\u001b[31m"}'), Unavailable, "PVGIS failed (529): busy[31m."),
        ((200, {}, b"<html>maintenance</html>"), Unavailable, "PVGIS did not answer in JSON."),
        ((200, {}, b'{"outputs": {}}'), Unavailable, "PVGIS answered in a form that is not known here ("),
        ((200, {}, b"[]"), Unavailable, "PVGIS answered in a form that is not known here ("),
        (None, Unavailable, "The connection to PVGIS broke off (IncompleteRead)."),
    ],
)  # fmt: skip
def test_errors_are_one_line(answer: Answer | None, kind: type[ParkError], text: str) -> None:
    with serving(answer) as server, pytest.raises(kind) as caught:
        fetch_pvgis(34.5, -5.0, url=server.url)
    line = caught.value.line()
    assert caught.value.message.startswith(text) and "\n" not in line and "\x1b" not in line and caught.value.fix
    is_final = kind in (BadInput,) or (answer is not None and answer[0] == 200)
    assert len(server.asked) == (1 if is_final else 3)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ((400, {}, b'{"error": true, "reason": "Latitude must be above -90."}'), "Latitude must be above"),
        (good("{}"), "not known here ('hourly' is missing"),
        (good(meteo(WEEK, "wind_speed_80m", hourly_units={"time": "unixtime"})), "not known here ("),
        (good(meteo(WEEK, "wind_speed_80m").replace('"m/s"', '"km/h"')), "unit of wind_speed_80m: km/h"),
        (good(meteo(WEEK, "wind_speed_80m").replace("7.25, 7.25", "7.25")), "columns of different lengths"),
        (good(meteo(WEEK, "wind_speed_80m").replace("7.25, ", '"calm", ', 1)), "could not convert"),
    ],
)  # fmt: skip
def test_errors_of_open_meteo_are_one_line(answer: Answer, text: str) -> None:
    with serving(answer) as server, pytest.raises((BadInput, Unavailable)) as caught:
        fetch_open_meteo(34.5, -5.0, url=server.url)
    assert text in caught.value.line() and "\n" not in caught.value.line()


def test_errors_of_nasa_power_are_one_line() -> None:
    refused = b'{"header": "x", "messages": ["Latitude is wrong.", {"msg": "so is the year"}]}'
    with serving((422, {}, refused)) as server, pytest.raises(BadInput, match=r"Latitude is wrong\.; so is the year"):
        fetch_nasa_power(34.5, -5.0, 2021, server.url)
    with serving(good('{"properties": {}}')) as server, pytest.raises(Unavailable, match="not known here"):
        fetch_nasa_power(34.5, -5.0, 2021, server.url)


def test_a_broken_line_and_a_busy_service_are_asked_again() -> None:
    with serving(None, (503, {}, b""), good(forms.pvgis_tmy_json(YEAR))) as server:
        reading, _ = fetch_pvgis(34.5, -5.0, url=server.url)
        assert len(server.asked) == 3 and len(reading.lines) == 8760


def test_other_addresses_are_followed_and_checked() -> None:
    with serving((301, {"Location": "/v9/tmy?lat=1"}, b""), good(forms.pvgis_tmy_json(YEAR))) as server:
        _, came = fetch_pvgis(34.5, -5.0, url=server.url)
        assert server.asked[1] == ("/v9/tmy", {"lat": ["1"]}) and came.url.endswith("/v9/tmy?lat=1")
    with serving((302, {"Location": "/again"}, b"")) as server, pytest.raises(ParkError):
        fetch_pvgis(34.5, -5.0, url=server.url)
    assert len(server.asked) <= 3 * (http.REDIRECTS_MAX + 1)
    with pytest.raises(BadInput, match="is not an address"):
        fetch_pvgis(34.5, -5.0, url="file:///etc/passwd")


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "http://u:secret@127.0.0.1/", "http://[::1", "http://h:99999/", "ftp://h/x"]
)
def test_what_is_no_web_address_is_not_followed(location: str) -> None:
    with serving((302, {"Location": location}, b"")) as server, pytest.raises(Unavailable) as caught:
        fetch_pvgis(34.5, -5.0, url=server.url)
    assert "sends on to what is no web address" in caught.value.message and len(server.asked) == 1


@pytest.mark.parametrize(
    "url",
    ["https://me:secret@host/", "http://[::1", "http://h:x/", "http://h/a b", "http://h/\x1b[", "https://h/\u00e9"],
)
def test_addresses_that_cannot_be_asked_are_refused_and_no_password_is_told(url: str) -> None:
    with pytest.raises(BadInput, match="is not an address") as caught:
        fetch_open_meteo(34.5, -5.0, url=url)
    assert "secret" not in caught.value.line() and caught.value.line().isprintable()


def test_an_answer_that_drips_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "WHOLE_S", -1.0)
    with serving(good("{}")) as server, pytest.raises(Unavailable, match="did not end its answer"):
        fetch_open_meteo(34.5, -5.0, url=server.url)


def test_an_answer_that_nests_without_end_is_refused() -> None:
    with serving(good("[" * 200_000)) as server, pytest.raises(Unavailable, match="did not answer in JSON"):
        fetch_open_meteo(34.5, -5.0, url=server.url)
    with serving((400, {}, b"[" * 200_000)) as server, pytest.raises(BadInput, match="refused the request"):
        fetch_open_meteo(34.5, -5.0, url=server.url)


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BYTES_MAX", 1000)
    with serving(good(forms.pvgis_tmy_json(YEAR))) as server, pytest.raises(TooLarge, match="answered with more than"):
        fetch_pvgis(34.5, -5.0, url=server.url)


def test_nobody_there() -> None:
    with serving(good("{}")) as server:
        url = server.url
    with pytest.raises(Unavailable, match="PVGIS cannot be reached at http://127") as caught:
        fetch_pvgis(34.5, -5.0, url=url)
    assert "import a file" in caught.value.fix


def test_without_pvlib_one_line_names_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    real = importlib.import_module

    def without(name: str, package: str | None = None) -> Any:
        if name.startswith("pvlib"):
            raise ModuleNotFoundError("No module named 'pvlib'", name="pvlib")
        return real(name, package)

    monkeypatch.setattr("eureka_park.adapters.weather.by_pvlib.importlib.import_module", without)
    with pytest.raises(Unavailable) as caught:
        fetch_pvgis(34.5, -5.0)
    assert caught.value.line() == (
        "Fetching from PVGIS needs pvlib. Install it: pip install 'eureka-park[weather]'"
    )  # fmt: skip


def test_what_fails_leaves_no_file(run: Callable[..., Any], tmp_path: Path) -> None:  # noqa: F811
    before = sorted(tmp_path.rglob("*"))
    with serving((400, {}, b'{"message": "over the sea"}')) as server:
        words = ("--place", "koudia", "--url", server.url, "--out", str(tmp_path / "x.csv"))
        result = run("weather", "fetch", "pvgis", *words)
    assert result.exit_code == 1 and "over the sea" in result.stderr and sorted(tmp_path.rglob("*")) == before
