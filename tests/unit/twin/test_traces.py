"""Traces: own columns, Philly, PAI and SWF; what is wrong is told with its line, what is missing is filled."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from tests.helpers.shared_data import PAI, PHILLY

from eureka_park.foundation.errors import BadInput, NotFound, TooLarge
from eureka_park.foundation.seeds import SeedTree
from eureka_park.twin import foresight, trace_files
from eureka_park.twin.core.traces import Filling, renamed, workload_from
from eureka_park.twin.core.workload import NodeShape, Workload
from eureka_park.twin.trace_files import read_trace

SHAPES = (NodeShape(10, 8, 64_000, 524_288, "a100"),)
CPU_SHAPES = (NodeShape(4, 0, 16_000, 65_536),)
WHOLE = """\
# a comment
submit_s,run_s,gpus,n_nodes,n_nodes_min,mcpu,mem_mib,leaf,tier,job_class,checkpoint,priority,time_s,deadline_s,power_frac,job,after
5,60,2,1,0,4000,1024,phys/lattice,firm,interactive,false,3,120,,0.5,b,a
0,30,8,2,1,64000,524288,chem,flex,batch,true,0,90,1000,0.4,a,

9,10,0,1,0,500,16,chem,green,service,no,-2,20,,1,c,b
"""


def read(folder: Path, text: str, name: str = "jobs.csv", shapes: tuple[NodeShape, ...] = SHAPES) -> Workload:
    path = folder / name
    path.write_text(text)
    return workload_from(read_trace(path), Filling(shapes, SeedTree(1)))


def test_own_columns_are_taken_as_they_are(tmp_path: Path) -> None:
    work = read(tmp_path, WHOLE)
    assert work.submit_s.tolist() == [0.0, 5.0, 9.0]
    assert work.run_s.tolist() == [30.0, 60.0, 10.0]
    assert work.gpus.tolist() == [8, 2, 0]
    assert work.n_nodes.tolist() == [2, 1, 1]
    assert work.n_nodes_min.tolist() == [1, 0, 0]
    assert work.mcpu.tolist() == [64_000, 4000, 500]
    assert work.mem_mib.tolist() == [524_288, 1024, 16]
    assert [work.leaves[leaf] for leaf in work.leaf] == ["chem", "phys/lattice", "chem"]
    assert work.tier.tolist() == [1, 0, 2]
    assert work.job_class.tolist() == [0, 1, 2]
    assert work.checkpoint.tolist() == [True, False, False]
    assert work.priority.tolist() == [0, 3, -2]
    assert work.time_s.tolist() == [90.0, 120.0, 20.0]
    assert work.deadline_s.tolist() == [1000.0, np.inf, np.inf]
    assert work.power_frac.tolist() == [0.4, 0.5, 1.0]
    assert work.after.tolist() == [-1, 0, 1]
    assert dict(work.filled) == {}


def test_how_jobs_ended_is_taken_where_it_is_told(tmp_path: Path) -> None:
    work = read(tmp_path, "submit_s,run_s,gpus,ending\n0,9,1,failed\n1,9,1,\n2,9,1,cancelled\n")
    assert work.ending.tolist() == [2, 0, 1]
    assert "ending" not in work.filled, "the seed draws none"


def test_what_is_missing_is_filled_and_counted(tmp_path: Path) -> None:
    rows = "".join(f"{second},60,1\n" for second in range(50))
    work = read(tmp_path, "submit_s,run_s,gpus\n" + rows)
    for name in ("tier", "checkpoint", "priority", "time_s", "power_frac", "mcpu", "mem_mib", "leaf", "job_class"):
        assert work.filled[name] == 50, name
    assert set(work.tier.tolist()) == {0, 1, 2}
    assert (work.time_s >= work.run_s).all()
    assert work.filled["deadline_s"] == np.isfinite(work.deadline_s).sum() > 0
    assert np.isinf(work.deadline_s[work.tier != 1]).all()
    assert (work.mcpu <= 8000).all()


def test_a_cell_that_is_empty_is_filled_alone(tmp_path: Path) -> None:
    work = read(tmp_path, "submit_s,run_s,gpus,tier,time_s\n0,60,1,firm,100\n1,60,1,,\n")
    assert work.filled["tier"] == work.filled["time_s"] == 1
    assert work.tier[0] == 0
    assert work.time_s[0] == 100.0


def test_the_same_seed_fills_the_same(tmp_path: Path) -> None:
    text = "submit_s,run_s,gpus\n" + "".join(f"{second},60,1\n" for second in range(50))
    one, two = read(tmp_path, text), read(tmp_path, text)
    assert one.tier.tolist() == two.tier.tolist()
    assert one.deadline_s.tolist() == two.deadline_s.tolist()


def test_many_gpus_become_a_gang_of_whole_nodes(tmp_path: Path) -> None:
    work = read(tmp_path, "submit_s,run_s,gpus\n0,60,24\n1,60,8\n2,60,9\n")
    assert work.n_nodes.tolist() == [3, 1, 2]
    assert work.gpus.tolist() == [8, 8, 8]
    assert work.mcpu[0] == work.mcpu[2] == 64_000
    assert work.mem_mib[0] == 524_288


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("submit_s,run_s,gpus\n0,60,1\nx,60,1\n", 3, "submit_s = 'x' is no number"),
        ("submit_s,run_s,gpus\n0,60,1\n1,,1\n", 3, "run_s is empty"),
        ("submit_s,run_s,gpus\n0,60,1\n1,inf,1\n", 3, "run_s is infinite"),
        ("submit_s,run_s,gpus\n\n# c\n0,60,1.5\n", 4, "gpus = 1.5 is no whole number"),
        ("submit_s,run_s,gpus\n0,60\n", 2, "there are 2 values, not 3"),
        ("submit_s,run_s,gpus\n9,60,1\n1,0,1\n", 3, "the job: run_s = 0.0 is wrong"),
        ("submit_s,run_s,gpus\n9,60,1\n-1,60,1\n", 3, "the job: submit_s = -1.0 is wrong"),
        ("submit_s,run_s,gpus\n9,60,1\n1,-60,1\n", 3, "the job: run_s = -60.0 is wrong: more than 0 s"),
        ("submit_s,run_s,gpus\n2026-03-01 08:00:00,60,1\n", 2, "submit_s = '2026-03-01 08:00:00' names no time zone"),
        ("submit_s,run_s,gpus\n2026-03-01T08:00Z,60,1\n2026-03-01T09:00,60,1\n", 3, "names no time zone"),
        ("submit_s,run_s,gpus\n2026-03-01T08:00Z,60,1\n2026-03-32T09:00Z,60,1\n", 3, "32T09:00Z' is no time"),
        ("submit_s,run_s,gpus\n2026-03-01T08:00Z,60,1\n9,60,1\n", 3, "submit_s = '9' is no time"),
        ("submit_s,run_s,gpus\n2026-03-01T08:00Z,60,1\n,60,1\n", 3, "submit_s is empty"),
        ("submit_s,run_s,gpus\n5,60,81\n1,60,1\n", 2, "the job asks for 11 nodes with 8 GPUs"),
        ("submit_s,run_s,gpus,tier\n0,60,1,gold\n", 2, "tier = 'gold' is none of firm, flex, green"),
        ("submit_s,run_s,gpus,leaf\n0,60,1,A B\n", 2, "leaf = 'A B' is no path"),
        ("submit_s,run_s,gpus,job,after\n0,1,1,a,\n1,1,1,a,\n", 3, "job 'a' stands also at line 2"),
        ("submit_s,run_s,gpus,job,after\n0,1,1,a,b\n1,1,1,b,\n", 2, "comes after 'b', which is submitted later"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, line: int, what: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(tmp_path, text)
    assert caught.value.message.startswith(f"jobs.csv, line {line}: ")
    assert what in caught.value.message
    assert "\n" not in caught.value.line()


def test_local_time_is_refused_with_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        read(tmp_path, "submit_s,run_s,gpus\n2026-03-01 08:00:00,60,1\n")
    assert caught.value.fix == "Write each with its offset, such as 2026-03-02T08:00:00+01:00, or in seconds."


def test_instants_with_an_offset_count_from_the_first(tmp_path: Path) -> None:
    work = read(
        tmp_path,
        "submit_s,run_s,gpus,deadline_s\n2026-03-01T09:00:30+01:00,60,1,2026-03-01T08:05:00Z\n2026-03-01T08:00Z,60,1,\n",
    )
    assert work.submit_s.tolist() == [0.0, 30.0]
    assert work.deadline_s.tolist() == [np.inf, 300.0]


def test_unix_time_counts_from_the_first(tmp_path: Path) -> None:
    work = read(tmp_path, "submit_s,run_s,gpus,deadline_s\n1600000060,60,1,1600003600\n1600000000,60,1,\n")
    assert work.submit_s.tolist() == [0.0, 60.0]
    assert work.deadline_s.tolist() == [np.inf, 3600.0]


def test_columns_of_another_name_are_mapped(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("id,arrival,duration,n_gpu,colour\na,5,60,2,red\nb,0,30,1,blue\n")
    table = renamed(read_trace(path), {"submit_s": "arrival", "run_s": "duration", "gpus": "n_gpu", "job": "id"})
    work = workload_from(table, Filling(SHAPES, SeedTree(1)))
    assert (work.submit_s.tolist(), work.run_s.tolist(), work.gpus.tolist()) == ([0.0, 5.0], [30.0, 60.0], [1, 2])


@pytest.mark.parametrize(
    ("columns", "says", "fix"),
    [
        ({"start": "arrival"}, "'start' is no column of the park.", "submit_s"),
        ({"submit_s": "began"}, "other.csv has no column 'began'.", "It has: arrival, duration."),
    ],
)
def test_a_mapping_that_fits_neither_side_is_told(tmp_path: Path, columns: dict[str, str], says: str, fix: str) -> None:
    path = tmp_path / "other.csv"
    path.write_text("arrival,duration\n0,1\n")
    with pytest.raises(BadInput) as caught:
        renamed(read_trace(path), columns)
    assert caught.value.message == says
    assert fix in caught.value.fix


def test_swf_has_nothing_to_map(tmp_path: Path) -> None:
    (tmp_path / "log.swf").write_text(SWF)
    with pytest.raises(BadInput, match="names no columns"):
        renamed(read_trace(tmp_path / "log.swf"), {"submit_s": "x"})


@pytest.mark.parametrize("name", ["big.csv", "big.csv.gz", "big.parquet"])
def test_a_trace_that_memory_will_not_hold_is_refused_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    text = "submit_s,run_s,gpus\n" + "".join(f"{row},60,1\n" for row in range(60_000))
    path = tmp_path / name
    if name.endswith(".parquet"):
        pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs the extra 'parquet'")
        parquet = pytest.importorskip("pyarrow.parquet")
        parquet.write_table(pyarrow.table({name: np.arange(60_000) for name in ("submit_s", "run_s", "gpus")}), path)
    else:
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    assert len(read_trace(path).lines) == 60_000
    monkeypatch.setattr(foresight, "memory_free_bytes", lambda: 1e7)
    with pytest.raises(
        TooLarge, match=r"holds about [\d,]+ jobs, which need \d+ MiB of memory; 10 MiB are free\."
    ) as caught:
        read_trace(path)
    told = int(caught.value.message.split()[3].replace(",", ""))
    assert 30_000 < told < 120_000


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "jobs.csv.gz"
    path.write_bytes(gzip.compress(b"#" * 2_000_000))
    monkeypatch.setattr(trace_files, "BYTES_MAX", 1_000_000)
    with pytest.raises(TooLarge, match="has more than"):
        read_trace(path)


def test_stamps_of_parquet_need_a_zone(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs the extra 'parquet'")
    parquet = pytest.importorskip("pyarrow.parquet")
    at = np.array(["2026-03-01T08:00:30", "2026-03-01T08:00:00"], dtype="datetime64[ns]")
    table = {"submit_s": pyarrow.array(at), "run_s": [60, 60], "gpus": [1, 1]}
    parquet.write_table(pyarrow.table(table), tmp_path / "local.parquet")
    with pytest.raises(BadInput, match="names no time zone"):
        workload_from(read_trace(tmp_path / "local.parquet"), Filling(SHAPES, SeedTree(1)))
    table["submit_s"] = table["submit_s"].cast(pyarrow.timestamp("ns", "Africa/Casablanca"))
    parquet.write_table(pyarrow.table(table), tmp_path / "zoned.parquet")
    work = workload_from(read_trace(tmp_path / "zoned.parquet"), Filling(SHAPES, SeedTree(1)))
    assert work.submit_s.tolist() == [0.0, 30.0]


def test_a_cycle_is_told_with_its_jobs(tmp_path: Path) -> None:
    text = "submit_s,run_s,gpus,job,after\n0,1,1,a,c\n1,1,1,b,a\n2,1,1,c,b\n"
    with pytest.raises(BadInput, match=r"line 2: jobs wait for each other: a -> c -> b -> a"):
        read(tmp_path, text)


def test_who_waits_for_a_job_that_is_not_there_waits_for_nobody(tmp_path: Path) -> None:
    work = read(tmp_path, "submit_s,run_s,gpus,job,after\n0,1,1,a,\n1,1,1,b,z\n")
    assert work.after.tolist() == [-1, -1]
    assert work.filled["after_unknown"] == 1


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("submit_s,run_s\n0,1\n", "no column 'gpus'"),
        ("submit_s,run_s,gpus,colour\n0,1,1,red\n", "has a column 'colour'"),
        ("submit_s,run_s,gpus,run_s\n0,1,1,1\n", "names a column twice"),
        ("submit_s,run_s,gpus\n", "holds no jobs"),
        ("", "is empty"),
        ("submit_s,run_s,gpus,after\n0,1,1,a\n", "no column 'job'"),
    ],
)
def test_a_header_that_is_wrong_is_told(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(BadInput, match=what):
        read(tmp_path, text)


def test_gpus_on_a_site_without_any_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="line 3: the job asks for GPUs; this site has none"):
        read(tmp_path, "submit_s,run_s,gpus\n0,60,0\n1,60,1\n", shapes=CPU_SHAPES)


def test_philly_is_known_by_its_header(tmp_path: Path) -> None:
    text = (
        "submit_time,duration_s,num_gpus,vc\n2017-10-03 10:00:30,600,16,bb\n2017-10-03T10:00:00,60,1,aa\n"
        "2017-10-03T11:00:00,60,4,aa\n"
    )
    work = read(tmp_path, text)
    assert work.submit_s.tolist() == [0.0, 30.0, 3600.0]
    assert work.run_s.tolist() == [60.0, 600.0, 60.0]
    assert work.n_gpus.tolist() == [1, 16, 4]
    assert [work.leaves[leaf] for leaf in work.leaf] == ["vc-aa", "vc-bb", "vc-aa"]
    with pytest.raises(BadInput, match="line 3: submit_time = 'noon' is no time"):
        read(tmp_path, "submit_time,duration_s,num_gpus,vc\n2017-10-03,600,16,bb\nnoon,60,1,aa\n")


def test_the_pai_sample_is_known_by_its_header(tmp_path: Path) -> None:
    work = read(tmp_path, "submit_s,duration_s,demand_units\n0,600,1\n60,1200,40\n")
    assert work.run_s.tolist() == [600.0, 1200.0]
    assert work.n_gpus.tolist() == [1, 40]


SWF = """\
; Version: 2.2
; MaxProcs: 64
1 100 5 600 16 -1 1024 16 900 -1 1 3 1 7 1 1 -1 -1
2 160 0 60 -1 -1 -1 40 -1 2048 0 4 1 7 1 1 1 10
3 170 0 0 4 -1 -1 4 60 -1 5 4 1 7 1 1 -1 -1
4 180 0 30 1
"""


def test_swf_is_read(tmp_path: Path) -> None:
    work = read(tmp_path, SWF, "log.swf", CPU_SHAPES)
    assert work.submit_s.tolist() == [0.0, 60.0, 80.0]
    assert work.run_s.tolist() == [600.0, 60.0, 30.0]
    assert work.n_nodes.tolist() == [1, 3, 1]
    assert work.mcpu.tolist() == [16_000, 16_000, 1000]
    assert work.mem_mib[0] == 16
    assert work.time_s[0] == 900.0
    assert work.after.tolist() == [-1, 0, -1]
    assert [work.leaves[leaf] for leaf in work.leaf] == ["group-1/user-3", "group-1/user-4", "group-0/user-0"]
    assert work.ending.tolist() == [0, 2, 0]  # of the last nobody says so
    assert work.filled["left_out"] == 1
    assert work.filled["time_s"] == 2


def test_swf_may_be_compressed(tmp_path: Path) -> None:
    path = tmp_path / "log.swf.gz"
    path.write_bytes(gzip.compress(SWF.encode()))
    assert workload_from(read_trace(path), Filling(CPU_SHAPES, SeedTree(1))).n_jobs == 3


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("; c\n1 2 3\n", "line 2: there are 3 values, not 18"),
        ("1 x 0 60 4 -1 -1 4 60 -1 1 4 1 7 1 1 -1 -1\n", "line 1: submit_s = 'x' is no number"),
        ("; only a head\n", "holds no jobs"),
        ("1 0 0 60 65 -1 -1 65 60 -1 1 4 1 7 1 1 -1 -1\n", "line 1: the job asks for 5 nodes"),
    ],
)
def test_what_is_wrong_in_swf_is_told(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(BadInput, match=what):
        read(tmp_path, text, "log.swf", CPU_SHAPES)


def test_parquet_is_read(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs the extra 'parquet'")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "jobs.parquet"
    table = {"submit_s": [0, 5], "run_s": [60.0, 30.0], "gpus": [1, 16], "tier": ["firm", None]}
    table["checkpoint"] = [True, False]
    parquet.write_table(pyarrow.table(table), path)
    work = workload_from(read_trace(path), Filling(SHAPES, SeedTree(1)))
    assert work.n_gpus.tolist() == [1, 16]
    assert work.checkpoint.tolist() == [True, False]
    assert work.filled["tier"] == 1


def test_files_that_are_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_trace(tmp_path / "none.csv")
    with pytest.raises(BadInput, match="does not say its kind"):
        read_trace(tmp_path / "jobs.txt")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no")
    (tmp_path / "bad.csv").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "bad.csv.gz").write_bytes(b"no gzip")
    (tmp_path / "torn.csv.gz").write_bytes(gzip.compress(b"a,b\n" * 99)[:12] + b"\xff" * 20)
    kinds = {"bad.parquet": "no Parquet", "bad.csv": "no readable text"}
    for name, what in (kinds | dict.fromkeys(("bad.csv.gz", "torn.csv.gz"), "no readable")).items():
        with pytest.raises(BadInput, match=what):
            read_trace(tmp_path / name)


@pytest.mark.skipif(not PHILLY.is_file(), reason="the Philly trace is not part of the repository")
def test_the_real_philly_is_read_whole() -> None:
    work = workload_from(read_trace(PHILLY), Filling((NodeShape(312, 8, 64_000, 524_288),), SeedTree(1)))
    assert work.n_jobs == 68_063
    assert float(work.gpu_s.mean()) / 3600 == pytest.approx(11.85, abs=0.01)
    assert len(work.leaves) == 14


@pytest.mark.skipif(not PAI.is_file(), reason="the PAI sample is not part of the repository")
def test_the_real_pai_sample_is_read_whole() -> None:
    work = workload_from(read_trace(PAI), Filling((NodeShape(100, 8, 64_000, 524_288),), SeedTree(1)))
    assert work.n_jobs == 65_639
    assert int(work.n_nodes.max()) == 50
