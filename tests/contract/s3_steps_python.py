"""What Python's file systems do at the S3 door: `python s3_steps_python.py s3fs|pyarrow|obstore`."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

from s3_steps import ENDPOINT, KEY, LARGE, ODD_KEYS, REGION, SECRET, fetch, refused, step


def s3fs_steps() -> None:
    import s3fs

    fs, bucket = s3fs.S3FileSystem(), "lab-s3fs"
    with step("make bucket"):
        fs.mkdir(bucket)
    with step("list buckets"):
        assert bucket in fs.ls("")
    with step("put"):
        fs.pipe(f"{bucket}/a/b.txt", b"hello world")
    with step("get"):
        assert fs.cat(f"{bucket}/a/b.txt") == b"hello world"
    with step("get range"), fs.open(f"{bucket}/a/b.txt") as file:
        file.seek(6)
        assert file.read(3) == b"wor"
    with step("head"):
        assert fs.info(f"{bucket}/a/b.txt")["size"] == 11
        assert not fs.exists(f"{bucket}/a/none")
    with step("metadata"):
        fs.setxattr(f"{bucket}/a/b.txt", copy_kwargs={}, one="1")
        assert fs.metadata(f"{bucket}/a/b.txt", refresh=True) == {"one": "1"}
    with step("odd keys"):
        for key in ODD_KEYS[1:2]:
            fs.pipe(f"{bucket}/odd/{key}", b"odd")
            assert fs.cat(f"{bucket}/odd/{key}") == b"odd"
    with step("missing key"):
        refused(FileNotFoundError, lambda: fs.cat(f"{bucket}/none"))
        refused(FileNotFoundError, lambda: fs.ls("lab-none"))
    with step("list"):
        assert len(fs.find(bucket)) == 2
    with step("list by folder"):
        assert sorted(fs.ls(bucket)) == [f"{bucket}/a", f"{bucket}/odd"]
    with step("copy"):
        fs.cp(f"{bucket}/a/b.txt", f"{bucket}/a/c.txt")
    with step("move"):
        fs.mv(f"{bucket}/a/c.txt", f"{bucket}/a/d.txt")
        assert sorted(fs.ls(f"{bucket}/a", refresh=True)) == [f"{bucket}/a/b.txt", f"{bucket}/a/d.txt"]
    with step("put in parts"), fs.open(f"{bucket}/large", "wb", block_size=5 * 2**20) as file:
        file.write(LARGE)
    with step("get large"):
        assert fs.cat(f"{bucket}/large") == LARGE
    with step("put if absent"):
        refused(FileExistsError, lambda: fs.pipe(f"{bucket}/a/b.txt", b"2", mode="create"))
    with step("presigned get"):
        assert fetch(fs.sign(f"{bucket}/a/b.txt")) == b"hello world"
    s3fs_more(fs, bucket)


def s3fs_more(fs: Any, bucket: str) -> None:
    """Tags, versions, tables of pandas, and ends."""
    import pandas as pd
    import s3fs

    with step("tags"):
        fs.put_tags(f"{bucket}/a/b.txt", {"k": "v"})
        assert fs.get_tags(f"{bucket}/a/b.txt") == {"k": "v"}
    with step("versions"):
        versioned = s3fs.S3FileSystem(version_aware=True, skip_instance_cache=True)
        versioned.make_bucket_versioned(bucket, True)
        for text in (b"1", b"2"):
            versioned.pipe(f"{bucket}/v", text)
        found = versioned.object_version_info(f"{bucket}/v")
        assert [versioned.cat(f"{bucket}/v", version_id=one["VersionId"]) for one in found] == [b"2", b"1"]
        versioned.make_bucket_versioned(bucket, False)
    with step("tables"):
        frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
        for kind in ("csv", "parquet"):
            getattr(frame, f"to_{kind}")(f"s3://{bucket}/t/t.{kind}", **({"index": False} if kind == "csv" else {}))
            assert getattr(pd, f"read_{kind}")(f"s3://{bucket}/t/t.{kind}").equals(frame)
    with step("delete"):
        fs.rm(f"{bucket}/a/b.txt")
    with step("delete many"):
        fs.rm(f"{bucket}/t", recursive=True)
        assert not fs.exists(f"{bucket}/t/t.csv")
    with step("wrong key"):
        wrong = s3fs.S3FileSystem(key=KEY, secret="x")
        refused(PermissionError, lambda: wrong.ls(bucket))
    with step("others' bucket"):
        refused(FileNotFoundError, lambda: fs.ls("desk-theirs"))


def pyarrow_steps() -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import fs as arrow_fs

    host = ENDPOINT.removeprefix("http://")
    fs = arrow_fs.S3FileSystem(
        access_key=KEY, secret_key=SECRET, endpoint_override=host, scheme="http", region=REGION,
        allow_bucket_creation=True, allow_bucket_deletion=True,
    )  # fmt: skip
    with step("make bucket"):
        fs.create_dir("lab-arrow")
    with step("list buckets"):
        assert "lab-arrow" in [one.path for one in fs.get_file_info(arrow_fs.FileSelector(""))]
    with step("put"), fs.open_output_stream("lab-arrow/d/a.txt") as file:
        file.write(b"hello world")
    with step("get"), fs.open_input_stream("lab-arrow/d/a.txt") as file:
        assert file.read() == b"hello world"
    with step("get range"), fs.open_input_file("lab-arrow/d/a.txt") as file:
        file.seek(6)
        assert file.read(3) == b"wor"
    with step("head"):
        assert fs.get_file_info("lab-arrow/d/a.txt").size == 11
        assert fs.get_file_info("lab-arrow/none").type == arrow_fs.FileType.NotFound
    with step("missing key"):
        refused(FileNotFoundError, lambda: fs.open_input_file("lab-arrow/none"))
    with step("list"):
        found = fs.get_file_info(arrow_fs.FileSelector("lab-arrow", recursive=True))
        assert [one.path for one in found if one.is_file] == ["lab-arrow/d/a.txt"]
    with step("list by folder"):
        assert [one.path for one in fs.get_file_info(arrow_fs.FileSelector("lab-arrow"))] == ["lab-arrow/d"]
    with step("copy"):
        fs.copy_file("lab-arrow/d/a.txt", "lab-arrow/d/b.txt")
    with step("move"):
        fs.move("lab-arrow/d/b.txt", "lab-arrow/d/c.txt")
    with step("put in parts"), fs.open_output_stream("lab-arrow/large") as file:
        file.write(LARGE)
    with step("get large"), fs.open_input_stream("lab-arrow/large") as file:
        assert file.read() == LARGE
    with step("tables"):
        table = pa.table({"a": list(range(1000))})
        pq.write_table(table, "lab-arrow/t.parquet", filesystem=fs)
        assert pq.read_table("lab-arrow/t.parquet", filesystem=fs, filters=[("a", "<", 1000)]).equals(table)
    with step("delete"):
        fs.delete_file("lab-arrow/d/a.txt")
    with step("delete many"):
        fs.delete_dir_contents("lab-arrow")
    with step("drop bucket"):
        fs.delete_dir("lab-arrow")
    with step("wrong key"):
        wrong = arrow_fs.S3FileSystem(access_key=KEY, secret_key="x", endpoint_override=host, scheme="http")
        refused(OSError, lambda: wrong.get_file_info(arrow_fs.FileSelector("lab-arrow")))
    with step("others' bucket"):
        refused(OSError, lambda: fs.get_file_info(arrow_fs.FileSelector("desk-theirs")))


def obstore_steps() -> None:
    import obstore as obs
    from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, PreconditionError
    from obstore.store import S3Store

    store = S3Store("lab-desk", endpoint=ENDPOINT, region=REGION, client_options={"allow_http": True})
    with step("put"):
        obs.put(store, "a/b.txt", b"hello world", attributes={"Content-Type": "text/plain"})
    with step("get"):
        assert bytes(obs.get(store, "a/b.txt").bytes()) == b"hello world"
    with step("get range"):
        assert bytes(obs.get_range(store, "a/b.txt", start=6, length=3)) == b"wor"
        assert [bytes(one) for one in obs.get_ranges(store, "a/b.txt", starts=[0, 6], lengths=[1, 2])] == [b"h", b"wo"]
    with step("head"):
        assert obs.head(store, "a/b.txt")["size"] == 11
    with step("metadata"):
        obs.put(store, "m", b"", attributes={"Cache-Control": "no-cache", "one": "1"})
        found = obs.get(store, "m").attributes
        assert (found["Cache-Control"], found["one"]) == ("no-cache", "1")
    with step("odd keys"):
        obs.put(store, ODD_KEYS[1], b"odd")
        assert bytes(obs.get(store, ODD_KEYS[1]).bytes()) == b"odd"
        obs.delete(store, ODD_KEYS[1])
    with step("missing key"):
        refused(FileNotFoundError, lambda: obs.get(store, "none"))
    with step("list"):
        assert [one["path"] for one in obs.list(store, prefix="a").collect()] == ["a/b.txt"]
    with step("list by folder"):
        assert obs.list_with_delimiter(store)["common_prefixes"] == ["a"]
    with step("copy"):
        obs.copy(store, "a/b.txt", "a/c.txt")
    with step("move"):
        obs.rename(store, "a/c.txt", "a/d.txt")
    with step("put in parts"):
        obs.put(store, "large", LARGE, chunk_size=5 * 2**20)
    with step("get large"):
        assert b"".join(bytes(one) for one in obs.get(store, "large").stream()) == LARGE
    with step("checksums"):
        summed = S3Store(
            "lab-desk",
            endpoint=ENDPOINT,
            region=REGION,
            checksum_algorithm="SHA256",
            client_options={"allow_http": True},
        )
        obs.put(summed, "sum", b"sum")
    with step("put if absent"):
        refused(AlreadyExistsError, lambda: obs.put(store, "a/b.txt", b"2", mode="create"))
    with step("put if unchanged"):
        etag = obs.head(store, "a/b.txt")["e_tag"]
        obs.put(store, "a/b.txt", b"2", mode={"e_tag": etag})
        refused(PreconditionError, lambda: obs.put(store, "a/b.txt", b"3", mode={"e_tag": etag}))
    with step("presigned get"):
        assert fetch(obs.sign(store, "GET", "a/b.txt", timedelta(minutes=1))) == b"2"
    with step("presigned put"):
        fetch(obs.sign(store, "PUT", "signed", timedelta(minutes=1)), b"x", "PUT")
    with step("delete"):
        obs.delete(store, "signed")
    with step("delete many"):
        obs.delete(store, [one["path"] for one in obs.list(store).collect()])
        assert obs.list(store).collect() == []
    with step("wrong key"):
        wrong = S3Store(
            "lab-desk", endpoint=ENDPOINT, region=REGION, secret_access_key="x", client_options={"allow_http": True}
        )
        refused(PermissionDeniedError, lambda: obs.get(wrong, "a"))
    with step("others' bucket"):
        theirs = S3Store("desk-theirs", endpoint=ENDPOINT, region=REGION, client_options={"allow_http": True})
        refused((BaseError, FileNotFoundError), lambda: obs.list(theirs).collect())


if __name__ == "__main__":
    {"s3fs": s3fs_steps, "pyarrow": pyarrow_steps, "obstore": obstore_steps}[sys.argv[1]]()
