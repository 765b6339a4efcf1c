"""The files of a run: what is written is read again, and whatever is wrong with a folder is said in one line."""

from __future__ import annotations

import errno
import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eureka_park.foundation.errors import BadInput, ParkError, Unavailable
from eureka_park.twin.run_files import check_run_folder, read_run, write_run
from eureka_park.twin.run_out import check_out
from eureka_park.twin.run_record import RunRecord

FILES = {"run.json", "hours.csv", "tenants.csv", "sample.csv"}


def small_record(**figures: Any) -> RunRecord:
    tenants = {
        "org-01/a, b": {"jobs": 3, "rho": 1.25, "wait_s": {"mean": 0.1, "p50": 1e-9}, "served_frac": None},
        'org-02/"c"': {"jobs": 0, "rho": None, "wait_s": {"mean": 0.0, "p50": 0.0}, "served_frac": 1.0},
    }
    hours = {"hour_s": 3600.0 * np.arange(3), "load_kwh": np.array([0.1, 1 / 3, 2e9]), "clean_kwh": np.zeros(3)}
    sample: dict[str, Any] = {
        "leaf": ["org-01/a, b", 'org-02/"c"'], "tier": ["firm", "green"], "submit_s": np.array([0.5, 7.0]),
        "end_s": np.array([math.nan, 9.25]), "n_pauses": np.array([0.0, 2.0]),
    }  # fmt: skip
    told = {"policy": "park", "cfe_frac": 1 / 3, "wait_s": {"firm": {"mean": 1e-300}}, "filled": {}, "trace": None}
    return RunRecord(told | figures | {"tenants": tenants}, hours, sample, {"seed": 1, "days": 2.0, "trace": None})


def assert_same(found: RunRecord, wanted: RunRecord) -> None:
    assert found.figures == wanted.figures
    assert found.request == wanted.request
    for columns, others in ((found.hours, wanted.hours), (found.sample, wanted.sample)):
        assert list(columns) == list(others)
        for name, values in columns.items():
            assert np.array_equal(values, others[name], equal_nan=name not in {"leaf", "tier"}), name


def test_a_run_comes_back_from_its_folder(tmp_path: Path) -> None:
    written = write_run(tmp_path / "deep" / "run", small_record())
    assert {one.name for one in written} == FILES == {one.name for one in (tmp_path / "deep" / "run").iterdir()}
    found = read_run(tmp_path / "deep" / "run")
    assert_same(found, small_record())
    assert (found.n_hours, found.n_sampled) == (3, 2)


def test_a_run_without_hours_sample_and_tenants_comes_back(tmp_path: Path) -> None:
    write_run(tmp_path, RunRecord({"digest": "x", "tenants": {}}))
    assert_same(read_run(tmp_path), RunRecord({"digest": "x", "tenants": {}}))


numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**60), 2**60) | st.none()
leaves = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tenants=st.dictionaries(leaves, st.fixed_dictionaries({"a": numbers, "b": st.fixed_dictionaries({"c": numbers})})),
    hours=st.lists(st.floats(), max_size=5),
)
def test_any_tenants_and_hours_come_back(tmp_path: Path, tenants: dict[str, Any], hours: list[float]) -> None:
    write_run(tmp_path, RunRecord({"tenants": tenants}, {"load_kwh": np.array(hours)}))
    found = read_run(tmp_path)
    assert found.figures["tenants"] == tenants
    wanted = [one if math.isfinite(one) else math.nan for one in hours]
    assert np.array_equal(found.hours["load_kwh"], np.array(wanted), equal_nan=True)


def test_what_is_no_number_is_null_and_numpy_and_paths_are_plain(tmp_path: Path) -> None:
    odd = {"bad": math.nan, "worse": math.inf, "one": np.float64(2.5), "many": np.arange(2), "at": Path("a/b")}
    sample: dict[str, Any] = {"leaf": ["a"], "tier": np.array([2])}
    write_run(tmp_path, RunRecord(odd, sample=sample))
    found = read_run(tmp_path)
    assert found.figures == {"bad": None, "worse": None, "one": 2.5, "many": [0, 1], "at": "a/b", "tenants": {}}
    assert found.sample == {"leaf": ["a"], "tier": ["green"]}
    assert "NaN" not in (tmp_path / "run.json").read_text()


def test_control_characters_in_names_do_no_harm(tmp_path: Path) -> None:
    write_run(tmp_path, RunRecord({"tenants": {"a\r\nb": {"jobs": 1}}}, sample={"leaf": ["\x00"], "tier": ["flex"]}))
    found = read_run(tmp_path)
    assert found.figures["tenants"] == {"a\ufffd\ufffdb": {"jobs": 1}}
    assert found.sample["leaf"] == ["\ufffd"]


def test_another_run_takes_the_place_of_the_first_and_leaves_foreign_files(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    write_run(tmp_path, small_record())
    (tmp_path / "report.html").write_text("of the first")
    write_run(tmp_path, small_record(policy="fcfs-easy"))
    assert read_run(tmp_path).figures["policy"] == "fcfs-easy"
    assert {one.name for one in tmp_path.iterdir()} == FILES | {"notes.txt"}


@pytest.mark.parametrize("n_written", [0, 1, 3])
@pytest.mark.parametrize("is_new", [True, False])
def test_a_disk_that_fills_leaves_nothing_half_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_written: int, is_new: bool
) -> None:
    folder = tmp_path / "new" / "run"
    if not is_new:
        write_run(folder, small_record())
    before = {one.name: one.read_bytes() for one in folder.iterdir()} if folder.exists() else None
    real, calls = os.fsync, []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) > n_written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable) as told:
        write_run(folder, small_record(policy="other"))
    assert "No space left" in told.value.line() and "--out" in told.value.fix
    after = {one.name: one.read_bytes() for one in folder.iterdir()} if folder.exists() else None
    assert after == before
    assert is_new is not (tmp_path / "new").exists()


def test_a_report_beside_a_run_does_not_keep_the_next_one_out(tmp_path: Path) -> None:
    write_run(tmp_path, small_record())
    (tmp_path / "report.html").write_text("of the first")
    check_out(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(BadInput, match=r"notes\.txt"):
        check_out(tmp_path)


def test_a_path_that_is_a_file_is_refused_before_and_after(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for call in (lambda at: check_run_folder(at), lambda at: write_run(at, small_record())):
        for path in (tmp_path / "file", tmp_path / "file" / "run"):
            with pytest.raises(BadInput, match="is a file"):
                call(path)
    check_run_folder(tmp_path / "not" / "there" / "yet")
    assert {one.name for one in tmp_path.iterdir()} == {"file"}


def spoil_json(folder: Path, **changes: Any) -> None:
    told = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**told, **changes}))


def spoil_table(folder: Path, name: str, old: str, new: str) -> None:
    """Change a table together with its digest."""
    import hashlib

    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1))
    files = json.loads((folder / "run.json").read_text())["files"]
    spoil_json(folder, files=files | {name: hashlib.sha256((folder / name).read_bytes()).hexdigest()})


SPOILT = {
    "no json": (lambda at: (at / "run.json").write_text("{"), "no JSON"),
    "no bytes": (lambda at: (at / "run.json").write_bytes(b"\xff\xfe\x00"), "no JSON"),
    "deep": (lambda at: (at / "run.json").write_text("[" * 100_000), "no JSON"),
    "nan": (lambda at: (at / "run.json").write_text('{"form": NaN}'), "no JSON"),
    "a list": (lambda at: (at / "run.json").write_text("[]"), "another version"),
    "form": (lambda at: spoil_json(at, form=99), "another version"),
    "no figures": (lambda at: spoil_json(at, figures=3), "no 'figures'"),
    "no files": (lambda at: spoil_json(at, files=None), "no 'files'"),
    "table gone": (lambda at: (at / "hours.csv").unlink(), "there is no hours.csv"),
    "table of another": (lambda at: (at / "sample.csv").write_text("leaf\na\n"), "not the one"),
    "cut": (lambda at: (at / "hours.csv").write_text((at / "hours.csv").read_text()[:-9]), "not the one"),
    "words": (lambda at: spoil_table(at, "hours.csv", "0.1", "much"), "no number"),
    "more cells": (lambda at: spoil_table(at, "hours.csv", "0.1", "0.1,5"), "columns do not fit"),
    "twice": (lambda at: spoil_table(at, "hours.csv", "load_kwh", "hour_s"), "columns do not fit"),
    "tenant": (lambda at: spoil_table(at, "tenants.csv", "1.25", "x"), "no number"),
    "binary": (lambda at: spoil_table(at, "sample.csv", "firm", "\x00"), ""),
}


@pytest.mark.parametrize("how", SPOILT)
def test_damaged_files_are_found_out_in_one_line(tmp_path: Path, how: str) -> None:
    write_run(tmp_path, small_record())
    spoil, said = SPOILT[how]
    spoil(tmp_path)
    if not said:
        read_run(tmp_path)  # odd, and a text all the same
        return
    with pytest.raises(ParkError, match=said) as told:
        read_run(tmp_path)
    assert isinstance(told.value, BadInput) and told.value.fix and "\n" not in told.value.line()


def test_a_wrong_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path, said in ((tmp_path, "no run in"), (tmp_path / "none", "no folder"), (tmp_path / "file", "is a file")):
        with pytest.raises(BadInput, match=said) as told:
            read_run(path)
        assert "--out DIR" in told.value.fix
