"""The site file: built-in sites, scale models, errors that name line, field and range, the reference page."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_park.foundation.errors import BadInput, NotFound
from eureka_park.foundation.machine import GpuFacts, MachineFacts
from eureka_park.foundation.site_file import Site, checked_site, site_from_json, site_to_json
from eureka_park.foundation.site_reading import built_in_sites, load_site, new_site_text, parse_site, site_text
from eureka_park.foundation.site_reference import site_reference_markdown
from eureka_park.foundation.units import GIB

MACHINE = MachineFacts(8, 16 * GIB, gpus=(GpuFacts("L4", 72.0, 16.0, 24 * GIB),))
PARK_TEXT = site_text("eureka-park")[0]
REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "site-file.md"


def line_with(text: str, fragment: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if fragment in line)


def test_the_two_built_in_sites() -> None:
    assert built_in_sites() == ("bench", "eureka-park")
    park = load_site("eureka-park")
    assert park.source_ids == ("noor-i", "noor-ii", "noor-iii", "noor-iv", "koudia", "grid")
    assert park.nodes[0].n_nodes * park.nodes[0].n_gpus == 262_144
    assert park.site_kw_rated / 1000 < park.site_mw_max == 386
    assert not park.is_scale_model and park.factor == 1.0
    assert all(plant.source for plant in park.plants)
    assert "assumption" in park.nodes[0].label


def test_bench_is_a_scale_model_of_this_machine() -> None:
    bench = load_site("bench", MACHINE)
    node = bench.nodes[0]
    assert bench.is_scale_model and bench.plants == load_site("eureka-park").plants
    assert (node.n_cpus, node.n_gpus, node.gpu_type, node.memory_gib) == (8, 1, "L4", 16.0)
    assert node.rated_kw == pytest.approx((20 + 8 * 8 + 72) / 1000)
    assert node.idle_kw == pytest.approx(0.036)
    assert bench.factor == pytest.approx(node.rated_kw * 1.15 / 386_000)
    assert bench.pue.it_mw_rated == pytest.approx(node.rated_kw / 1000)
    assert bench.policy.sky == "green" and load_site("eureka-park").policy.sky == "binding"


@pytest.mark.parametrize("name", ["eureka-park", "bench"])
def test_json_reads_back_equal(name: str) -> None:
    site = load_site(name, MACHINE)
    assert site_from_json(site_to_json(site)) == site


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ('id = "noor-iii"', "eta_frac = 1.4", "plants[2].eta_frac", ["1.4", "0.05 to 0.6 fraction", "noor-iii"]),
        ('id = "noor-iii"', "tes_hours = 7.5", "plants[2].tes_hours", ["not a field", "did you mean tes_h?"]),
        ('id = "noor-iv"', 'type = "solar"', "plants[3].type", ['"solar"', "pv, wind or battery"]),
        ("line_loss_frac = 0.0  ", 'commissioned = "2024-13" ', "plants[4].commissioned", ["'2024-13'", "no day"]),
        ('known_as = "koudia"', 'known_as = "kudia"', "plants[4].known_as", ["'kudia'", "noor-iv, koudia"]),
        ("line_loss_frac = 0.0  ", "parameters = { tilt_deg = 3 } ", "plants[4].parameters", ["no figure 'tilt_deg'"]),
        ('id = "noor-i"', "year_gwh_published = 1500", "plants[0].year_gwh_published", ["cannot give that"]),
        ("line_loss_frac = 0.0  ", "n_turbines = 2.5 ", "plants[4].n_turbines", ["2.5", "1 to 5000"]),
        ('weather_site = "koudia"', 'weather_site = "x"', "plants[4].weather_site", ["'x'", "ouarzazate, koudia"]),
        ("firm = 20", "firm = true", "prices.mad_per_gpu_h.firm", ["true", "0 to 10000 MAD/h"]),
        ("weight = 1", 'weight = "1"', "shares[0].weight", ['"1"', "number"]),
        ("[0.62, 0.5]", "[0.62, 0.3]", "policy.cap_steps_frac[1]", ["0.3", "0.5"]),
        ("site_mw_max = 386", "site_mw_max = nan", "site_mw_max", ["more than 0, at most 10000 MW"]),
        ("n_nodes = 32768", "n_nodes = 2.5", "nodes[0].n_nodes", ["2.5", "1 to 1000000"]),
        ("idle_kw = 1.9", "idle_kw = 19", "nodes[0].idle_kw", ["below rated_kw"]),
        ('id = "noor-ii"', 'id = "noor-i"', "plants[1].id", ["twice"]),
        ('"Africa/Casablanca"', '"Africa/Tetouan"', "timezone", ["IANA"]),
        ("surplus_peak_mad_per_mwh = 2", "surplus_peak_mad_per_mwh = 22", "grid.surplus_peak_mad_per_mwh", ["below"]),
    ],
)  # fmt: skip
def test_an_error_names_line_field_value_and_range(old: str, new: str, field: str, words: list[str]) -> None:
    text = PARK_TEXT.replace(old, new, 1)
    with pytest.raises(BadInput) as caught:
        parse_site(text, "mine.toml")
    message = caught.value.message
    pairs = enumerate(zip(PARK_TEXT.splitlines(), text.splitlines(), strict=True), 1)
    changed = next(number for number, (was, now) in pairs if was != now)
    assert message.startswith(f"mine.toml, line {changed}: "), message
    assert caught.value.field == field and caught.value.fix
    assert all(word in message for word in words), message
    assert "\n" not in message


@pytest.mark.parametrize("text", ["a = " + "[" * 50_000, "a = " + "9" * 5000])
def test_toml_without_end_is_told_in_one_line(text: str) -> None:
    with pytest.raises(BadInput, match="is no TOML to be read here"):
        parse_site(text, "mine.toml")


def test_a_file_far_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "large.toml").open("wb") as stream:
        stream.truncate(3 * 2**30)
    with pytest.raises(BadInput, match="is no site file: it has more than 4 MiB"):
        load_site(tmp_path / "large.toml")


def test_a_slip_in_toml_names_its_line() -> None:
    text = PARK_TEXT.replace("[grid]", "[grid", 1)
    with pytest.raises(BadInput, match=rf"mine.toml, line {line_with(text, '[grid')}: not valid TOML"):
        parse_site(text, "mine.toml")


def test_a_misspelt_required_field_is_told_as_a_slip_not_as_missing() -> None:
    with pytest.raises(BadInput, match=r"exprt_mw_max is not a field .*did you mean export_mw_max\? \(and 1 more\)"):
        parse_site(PARK_TEXT.replace("export_mw_max", "exprt_mw_max", 1), "mine.toml")


def test_unknown_names_and_bases() -> None:
    with pytest.raises(NotFound, match="no site 'atlantis'"):
        load_site("atlantis")
    with pytest.raises(BadInput, match=r"line 3: scale.of = 'moon'"):
        parse_site('name = "x"\n[scale]\nof = "moon"\n', "mine.toml")
    with pytest.raises(BadInput, match=r"nodes\[0\].n_cpus .*is missing"):
        load_site("bench")  # a machine that nobody looked at


def test_the_template_is_a_site_and_takes_a_name() -> None:
    site = parse_site(new_site_text("uni-tetouan"), "uni.toml")
    assert isinstance(site, Site) and site.name == "uni-tetouan"
    assert site.nodes[0].n_gpus == 8 and site.plants[0].type == "pv" and not site.is_scale_model
    with pytest.raises(BadInput):
        new_site_text("Bad Name")


def test_a_toml_date_is_a_date(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(PARK_TEXT.replace('date = "2026-11"', "date = 2026-11-01"), encoding="utf-8")
    assert load_site(file).prices.date == "2026-11-01"


def test_the_reference_page_is_the_model() -> None:
    assert REFERENCE.read_text("utf-8") == site_reference_markdown(), "write docs/reference/site-file.md anew"
    assert "| `tes_h` | number | 0 to 24 h | none |" in site_reference_markdown()


@pytest.mark.parametrize(("n", "same_type", "words"), [(6, False, "6 kinds of GPU"), (61, True, "61 classes")])
def test_machines_that_the_park_cannot_tell_apart_are_refused(n: int, same_type: bool, words: str) -> None:
    data = site_to_json(load_site("eureka-park"))
    kind = {**data["nodes"][0], "engine": "local", "n_gpus": 1}
    data["nodes"] = [{**kind, "id": f"kind-{at}", "gpu_type": "x" if same_type else f"x-{at}"} for at in range(n)]
    found = checked_site(data)
    assert isinstance(found, tuple) and words in found[0].message and found[0].place[0] == "nodes"
