"""The cost table: every figure says its unit, what it rests on, and when it was looked up."""

from __future__ import annotations

import re

import pytest

from eureka_park.foundation.cost_data import (
    built_musd,
    cost_facts,
    cost_numbers,
    cost_reference_markdown,
    cost_sections,
)
from eureka_park.foundation.errors import NotFound
from eureka_park.foundation.plant_data import LABELS

FACTS = [(section, name, fact) for section in cost_sections() for name, fact in cost_facts(section).items()]


@pytest.mark.parametrize(("section", "name", "fact"), FACTS, ids=[f"{part}.{name}" for part, name, _ in FACTS])
def test_every_figure_is_sourced(section: str, name: str, fact: object) -> None:
    fact = cost_facts(section)[name]
    assert isinstance(fact.value, float)
    assert fact.value >= 0
    assert fact.unit
    assert fact.label in LABELS
    assert len(fact.source) > 10
    assert re.fullmatch(r"\d{4}(-\d{2}){0,2}", fact.date)
    ending = {"usd": "USD", "mad": "MAD", "frac": "fraction", "years": "year", "ha": "ha"}
    assert any(word in name.split("_") and said in fact.unit for word, said in ending.items())


def test_what_was_not_read_itself_says_so() -> None:
    quoted = [fact for _, _, fact in FACTS if "IRENA" in fact.source]
    assert quoted
    assert all("as quoted" in fact.source for fact in quoted)


def test_numbers_are_found_by_section_and_name() -> None:
    numbers = cost_numbers()
    assert numbers["wind.capital_usd_per_kw"] == cost_facts("wind")["capital_usd_per_kw"].value
    assert not any(name.startswith("built.") for name in numbers)


def test_an_unknown_part_names_those_there_are() -> None:
    with pytest.raises(NotFound, match="no cost of 'tide'") as caught:
        cost_facts("tide")
    assert "battery" in caught.value.fix


def test_the_page_shows_every_figure() -> None:
    page = cost_reference_markdown()
    assert all(f"`{name}`" in page for _, name, _ in FACTS)
    assert all(f"`{plant}`" in page for plant in built_musd())
