"""The lattice that comes with the park: fresh, as near to exact years as it says, read alike by server and browser."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.helpers import npm

from eureka_park.energy.core.lattice import AXES, QUANTITIES, figures_of, quantities_of
from eureka_park.energy.lattice_file import shipped_lattice
from eureka_park.energy.make_lattice import POINTS, random_points
from eureka_park.energy.what_if_tasks import what_if
from eureka_park.foundation.site_file import site_to_json
from eureka_park.foundation.site_reading import load_site

SHIPPED = shipped_lattice()
AGAIN = "models or the site changed: python -m eureka_park.energy.make_lattice"
LATTICE_TS = npm.ROOT / "src" / "eureka_park" / "web" / "islands" / "src" / "lib" / "lattice.ts"


def exact(scenario: str, point: dict[str, float]) -> dict[str, float]:
    request = {"site": site_to_json(load_site("eureka-park")), "seed": 1, "scenario": scenario, "without": []}
    return figures_of(quantities_of(what_if({**request, "wish": point})["result"]), point["load_mw"])


def test_it_is_there_with_its_error() -> None:
    assert SHIPPED is not None, "make it: python -m eureka_park.energy.make_lattice"
    assert {name: list(marks) for name, marks in SHIPPED.lattice.axes.items()} == {
        name: list(marks) for name, marks in POINTS.items()
    }
    assert SHIPPED.error["cfe_frac_p95"] < 0.03 and SHIPPED.error["n_points"] >= 30
    assert SHIPPED.weather.startswith("synthetic")


@pytest.mark.parametrize(
    ("scenario", "point"),
    [
        ("all-plants", dict(zip(AXES, (386.0, 0.0, 0.0, 0.0, 0.0), strict=True))),
        ("noor-iii-out", dict(zip(AXES, (250.0, 0.0, 200.0, 0.0, 300.0), strict=True))),
    ],
)
def test_on_its_points_it_is_the_exact_year(scenario: str, point: dict[str, float]) -> None:
    assert SHIPPED is not None
    assert SHIPPED.lattice.figures(scenario, point)["cfe_frac"] == pytest.approx(
        exact(scenario, point)["cfe_frac"], abs=2e-3
    ), AGAIN


def test_between_its_points_it_is_as_near_as_it_says() -> None:
    assert SHIPPED is not None
    point = dict(zip(AXES, random_points("all-plants", 3)[2], strict=True))
    told, true = SHIPPED.lattice.figures("all-plants", point), exact("all-plants", point)
    assert abs(told["cfe_frac"] - true["cfe_frac"]) <= SHIPPED.error["cfe_frac_max"] + 2e-3, AGAIN


def test_the_browser_reads_it_as_the_server_does(tmp_path: Path) -> None:
    assert SHIPPED is not None
    points = [dict(zip(AXES, values, strict=True)) for values in random_points("noor-iii-out", 12)]
    points += [dict.fromkeys(AXES, 0.0), dict.fromkeys(AXES, 1e4)]
    script = tmp_path / "read.mjs"
    script.write_text(
        f"""import {{ read }} from {json.dumps(LATTICE_TS.as_uri())};
import {{ readFileSync }} from "node:fs";
const {{ lattice, points }} = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(points.map((point) => read(lattice, {{ scenario: "noor-iii-out", ...point }}))));
""",
        encoding="utf-8",
    )
    done = subprocess.run(
        [npm.node(), "--experimental-strip-types", "--no-warnings", str(script)],
        input=json.dumps({"lattice": SHIPPED.value, "points": points}), capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-1000:]
    for point, seen in zip(points, json.loads(done.stdout), strict=True):
        ours = SHIPPED.lattice.at("noor-iii-out", point)
        assert {name: seen[name] for name in QUANTITIES} == pytest.approx(ours, rel=1e-9, abs=1e-9)
