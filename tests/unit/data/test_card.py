"""Cards: heads read within bounds and changed without touching the rest; licences, languages, what is missing."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eureka_park.data.core.card import Facet, PersonalData, read_card
from eureka_park.data.core.card_text import changed, value_of
from eureka_park.data.core.front_matter import dumped, read_head, with_values
from eureka_park.data.core.languages import language_tag
from eureka_park.data.core.licence import read_licence, read_licences
from eureka_park.foundation.errors import BadInput

BOMB = "a: &x0 [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"b{index}: &x{index + 1} [{','.join([f'*x{index}'] * 10)}]\n" for index in range(9)
)
SCALARS: Any = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(max_size=40)
VALUES: Any = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
HEADS = st.dictionaries(st.text(max_size=12), VALUES, max_size=6)


def test_a_card_is_read() -> None:
    text = (
        """---
license: apache-2.0
language: [no, ar-MA, zxx]   # not false
tags: [Solar, dunes, Solar]
task_categories: [tabular-regression]
pretty_name: Dunes
personal_data: none
rai: {dataBiases: Only from the south., made_up: x}
---
# Dunes
"""
        + "Measured every minute with three pyranometers beside the dunes. " * 3
    )
    card = read_card(text.encode(), "dataset")
    assert card.findings == () and card.licence.expression == "Apache-2.0" and card.languages == ("no", "ar-MA", "zxx")
    assert (Facet.LANGUAGE, "ar") in card.facets() and card.facets().count((Facet.TAG, "solar")) == 1
    assert card.rai() == {"dataBiases": "Only from the south."} and card.body.startswith("# Dunes")


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("a: [", "not YAML in line 3"),
        ("a: &a [*a]", "refers to 'a'"),
        ("a: *nope", "refers to 'nope'"),
        ("a: !!python/object/apply:os.system [id]", "tag"),
        ("- a", "no list of"),
        ("a: 1\na: 2", "twice"),
        ("? [a]\n: 1", "no text"),
        ("a: 1\n--- \nb: 2", ""),
        ("a: " + "[" * 100_000, "line 2"),
        ("a: " + "[" * 30 + "]" * 30, "deeper than 24"),
        (BOMB, "more than 50,000"),
        ("a: " + "x" * 300_000, "longer than 256 KiB"),
        ("a: \x01", "a character"),
        ("a: {" * 5000, "deeper|line"),
    ],
)  # fmt: skip
def test_a_head_that_cannot_be_read_is_told_and_stops_nothing(head: str, told: str) -> None:
    begun_s = time.perf_counter()
    card = read_card(f"---\n{head}\n---\nBody".encode(), "dataset")
    assert time.perf_counter() - begun_s < 5.0
    assert card.findings and card.body.endswith("Body")
    assert any(word in finding.message for finding in card.findings for word in told.split("|")), card.findings


def test_odd_bytes_and_fields_are_told() -> None:
    wrong = b"---\nlicense: my-own\nlanguage: [fr, xx, english, 7]\npersonal_data: voices\ntags: {a: b}\n---\n\xff"
    card = read_card(wrong, "dataset")
    fields = [finding.field for finding in card.findings if finding.is_wrong]
    assert fields == ["README.md", "license", "language", "language", "language", "tags", "personal_data"], (
        card.findings
    )
    assert card.personal_data is PersonalData.PERSONAL and card.languages == ("fr",), "the careful reading"
    assert read_card(b"---\npersonal_data: no\n---\n", "dataset").personal_data is PersonalData.PERSONAL
    assert read_card(b'---\na: "\\0x"\n---\n', "model").values == {"a": "x"}


@settings(deadline=None)
@given(HEADS)
def test_what_is_written_reads_back(head: dict[str, Any]) -> None:
    head = _cleaned(head)
    source = dumped(head) if head else ""
    found = read_head(f"---\n{source}---\nBody\n")
    assert found.values == head and found.body == "Body\n"


@settings(deadline=None)
@given(HEADS, HEADS)
def test_a_change_keeps_all_else(head: dict[str, Any], changes: dict[str, Any]) -> None:
    head, changes = _cleaned(head), _cleaned(changes)
    before = f"---\n# first\n{dumped(head)}# last\n---\nBody\n" if head else "Body\n"
    after = with_values(before, changes)
    wanted = {key: value for key, value in {**head, **changes}.items() if value is not None or key not in changes}
    assert read_head(after).values == wanted and read_head(after).body == "Body\n"
    assert with_values(after, changes) == after


def _cleaned(value: Any) -> Any:
    """As it is kept: names and texts without NUL and halves of characters."""
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    return value.replace("\0", "").encode("utf-8", "replace").decode() if isinstance(value, str) else value


def test_comments_and_order_stay_where_a_field_is_set() -> None:
    before = "---\nlicense: mit  # chosen by the council\n# who speaks\nlanguage:\n- fr\ntags: [1]\n---\n# Title\n"
    after = changed(before, {"language": "fr, ary", "personal_data": "none", "tags": ""}, "dataset", "dunes")
    assert after == (
        "---\nlicense: mit  # chosen by the council\n# who speaks\nlanguage:\n  - fr\n  - ary\npersonal_data: none\n"
        "---\n# Title\n"
    )
    new = changed("", {"license": "cc-by-4.0", "personal_data": "none", "language": "fr"}, "dataset", "dunes")
    assert "## Why it was made" in new and "template" in str(read_card(new.encode(), "dataset").findings)
    for key, given_value in (("license", "nope"), ("language", "xx"), ("personal_data", "yes"), ("configs", "a")):
        with pytest.raises(BadInput):
            value_of(key, given_value)


def test_licences_become_spdx() -> None:
    pairs = {
        "apache-2.0": "Apache-2.0", "cc-by-nc-sa-4.0": "CC-BY-NC-SA-4.0", "gpl-3.0": "GPL-3.0-only", "odbl": "ODbL-1.0",
        "llama3.1": "LicenseRef-llama3.1", "mit or (apache-2.0 and cc0-1.0)": "MIT OR (Apache-2.0 AND CC0-1.0)",
        "GPL-2.0-or-later WITH Classpath-exception-2.0": "GPL-2.0-or-later WITH Classpath-exception-2.0",
    }  # fmt: skip
    assert {given_text: read_licence(given_text).expression for given_text in pairs} == pairs
    assert read_licence("other", "Our own; 2026!").expression == "LicenseRef-Our-own-2026"
    assert read_licences(["mit", "apache-2.0 or mit"]).ids == ("MIT", "Apache-2.0")
    for wrong in ("", "unknown", "nope", "(" * 150, "MIT AND", "__import__('os')", "MIT\0", "x" * 5000):
        with pytest.raises(BadInput):
            read_licence(wrong)


def test_languages_are_real_ones() -> None:
    right = {"fr": "fr", "en_US": "en-US", "zgh": "zgh", "ary": "ary", "zh-hant": "zh-Hant", "multilingual": "mul"}
    assert {text: language_tag(text) for text in right} == right
    assert all(language_tag(text) is None for text in ("", "xx", "english", "a" * 90, "fr;drop", "é", "None"))
