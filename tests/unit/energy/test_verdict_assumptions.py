"""Assumptions of the verdict: formulas mean what they say, files come back, nonsense is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_park.energy.core.cooling import site_mw_from_it_mw
from eureka_park.energy.verdict_assumptions import evaluated, read, shipped, to_toml
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.site_reading import load_site

KINDS = {"published", "assumption"}


@pytest.mark.parametrize(
    ("formula", "value"),
    [("1 + 2 * 3", 7), ("(1 + 2) * 3", 9), ("8 / 4 / 2", 1), ("9 - 4 - 3", 2), ("floor(7 / 2) * a", 6), ("a", 2)],
)
def test_formulas(formula: str, value: float) -> None:
    assert evaluated(formula, {"a": 2.0}) == value


@pytest.mark.parametrize(
    "formula", ["b", "a ** 2", "__import__('os')", "a.b", "floor(a, a)", "a +", "'x'", "a if a else a"]
)
def test_nothing_but_arithmetic(formula: str) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        evaluated(formula, {"a": 2.0})


def test_every_value_says_what_it_rests_on() -> None:
    for item in shipped().values.values():
        assert item.text and item.unit and item.date and item.source, item.name
        assert item.kind in KINDS, item.name
        assert item.kind == "published" or "assumption" in item.source, item.name


def test_every_assumption_is_used_or_shown() -> None:
    formulas = " ".join(figure.formula for figure in shipped().figures.values())
    unused = [name for name in shipped().values if name not in formulas]
    assert unused in (["gpus_per_node", "mad_per_usd"], ["mad_per_usd"], ["gpus_per_node"], []), unused


def test_the_fleet_agrees_with_the_site_file() -> None:
    """At full GPU power the formulas give the site file's node and the cooling model's site power."""
    site, values = load_site("eureka-park"), shipped().values
    node = site.nodes[0]
    assert values["n_nodes"].value == node.n_nodes and values["node_rated_kw"].value == node.rated_kw
    assert values["node_idle_kw"].value == node.idle_kw and values["gpu_w_max"].value == node.gpu_w_max
    assert values["gpus_per_node"].value == node.n_gpus and values["grid_g_per_kwh"].value == site.grid.gco2_per_kwh
    full = shipped().with_values({"gpu_frac_low": 1.0}).worked_out()
    assert full["node_kw_low"] == pytest.approx(node.rated_kw)
    half = shipped().worked_out()
    it_mw = half["node_kw_low"] * node.n_nodes / 1000
    assert half["fleet_mw_low"] == pytest.approx(site_mw_from_it_mw(it_mw, site.pue), rel=1e-9)
    assert 0 < half["fleet_mw_low"] < half["fleet_mw_high"] < full["fleet_mw_low"]


def test_more_money_buys_more_and_dearer_machines_fewer() -> None:
    plain = shipped().worked_out()
    richer = shipped().with_values({"announced_usd": 1e9}).worked_out()
    dearer = shipped().with_values({"node_usd": 620_000.0}).worked_out()
    for name in ("bought_machines", "bought_network", "bought_all"):
        assert dearer[name] < plain[name] < richer[name]
    assert plain["bought_all"] < plain["bought_network"] < plain["bought_machines"]
    assert dearer["site_usd"] > plain["site_usd"]


def test_a_file_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(to_toml(shipped()), "utf-8")
    assert read(file) == shipped()
    file.write_text("[assumptions]\nnode_usd = 250000\n[assumptions.pue]\nvalue = 1.2\n", "utf-8")
    mine = read(file)
    assert mine.values["node_usd"].value == 250_000 and mine.values["pue"].value == 1.2
    assert mine.values["pue"].kind == "yours" and mine.values["n_nodes"] == shipped().values["n_nodes"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[assumptions]\nnode_eur = 1\n", "There is no assumption 'node_eur'."),
        ("[assumptions]\nnode_usd = 'much'\n", "'node_usd' is not a number"),
        ("[assumptions]\nnode_usd = -1\n", "'node_usd' is not a number"),
        ("[assumptions]\nnode_usd = nan\n", "'node_usd' is not a number"),
        ("assumptions = 3\n", "'assumptions' is not a table"),
        ("[assumptions\n", "is not TOML"),
    ],
)
def test_wrong_files_are_told_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(BadInput, match=says) as error:
        read(file)
    assert "\n" not in error.value.line()


def test_a_missing_file_and_a_division_by_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        read(tmp_path / "none.toml")
    with pytest.raises(BadInput, match="has no value"):
        shipped().with_values({"node_usd": 0.0}).worked_out()
