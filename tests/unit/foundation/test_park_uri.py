"""Addresses of data as people write them."""

from __future__ import annotations

import pytest

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.park_uri import (
    InputUri,
    OutputUri,
    input_text,
    read_input,
    read_inputs,
    read_output,
    read_outputs,
    variable_of,
)


def test_addresses_are_read_as_they_are_written() -> None:
    plain = InputUri("dataset", "lab", "rows", "main", "", "rows")
    assert read_input("park://datasets/lab/rows") == read_input("datasets/lab/rows@main") == plain
    full = InputUri("model", "lab", "net-1", "feature/x", "a/b:c.csv", "w")
    assert read_input("park://models/lab/net-1@feature%2Fx/a/b%3Ac.csv:w") == full
    named = (full.kind, full.project, full.name, full.revision, full.path.replace(":", "_"), full.mount)
    assert input_text(*named) == "park://models/lab/net-1@feature%2Fx/a/b_c.csv:w"
    assert read_output("models/lab/net:out/best/") == OutputUri("model", "lab", "net", "out/best")
    assert read_output("park://datasets/lab/rows").folder == ""
    assert variable_of("my-rows.v2") == "PARK_INPUT_MY_ROWS_V2"


@pytest.mark.parametrize(
    "text",
    [
        "", "rows", "datasets/lab", "park://files/lab/rows", "datasets//rows", "datasets/lab/rows@", "datasets/lab/@v1",
        "datasets/lab/rows/../x", "datasets/lab/rows:", "datasets/lab/rows:a b", "datasets/lab/rows:..", "x" * 3000,
        "datasets/lab/rows/%2e%2e/x", "datasets/lab/rows/a%00b",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_inputs([text])
    assert caught.value.code == "bad_address" and caught.value.field == "inputs[0]"


def test_outputs_stay_inside_and_names_are_given_once() -> None:
    for text in ("models/lab/net:../x", "models/lab/net:/etc", "models/lab/net@v1", "models/lab/net/x", "models/lab"):
        with pytest.raises(BadInput):
            read_output(text)
    with pytest.raises(BadInput, match="Two inputs"):
        read_inputs(["datasets/lab/my-rows", "datasets/other/my.rows"])
    with pytest.raises(BadInput, match="one repository"):
        read_outputs(["models/lab/net:a", "models/lab/net:b"])
