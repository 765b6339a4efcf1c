"""Steps of what reads and writes through the hub's client: pandas, pyarrow, HfFileSystem; resumed and found again."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
from client_walk import ENDPOINT, OTHER, PROJECT, fails, step, walk, work
from huggingface_hub import HfApi, HfFileSystem, hf_hub_download, snapshot_download
from huggingface_hub.errors import BadRequestError

KIND, REPO = "dataset", f"{PROJECT}/through-{os.getpid()}"
ROOT = f"datasets/{REPO}"
LARGE = os.urandom(6_000_000)
api, fs = HfApi(), HfFileSystem()
SEND = f"""
from huggingface_hub import HfApi
HfApi().upload_folder(repo_id="{REPO}", repo_type="dataset", folder_path="{work}/many", path_in_repo="many")
"""


def tables() -> None:
    api.create_repo(REPO, repo_type=KIND)
    rows = pd.DataFrame({"x": range(1000), "text": [f"row {number}" for number in range(1000)]})
    step("pandas writes Parquet", lambda: rows.to_parquet(f"hf://{ROOT}/tables/a.parquet"))
    step("pandas writes CSV", lambda: rows.head(5).to_csv(f"hf://{ROOT}/a.csv", index=False))
    step(
        "pandas reads Parquet",
        lambda: pd.read_parquet(f"hf://{ROOT}/tables/a.parquet", columns=["x"])["x"].sum(),
        499500,
    )
    step("pandas reads CSV", lambda: list(pd.read_csv(f"hf://{ROOT}/a.csv")["text"])[-1], "row 4")
    write = lambda: pq.write_table(pa.Table.from_pandas(rows), f"{ROOT}/tables/b.parquet", filesystem=fs)  # noqa: E731
    step("pyarrow writes Parquet", write)
    fs.invalidate_cache()
    found = step("pyarrow finds both", lambda: pyarrow.dataset.dataset(f"{ROOT}/tables", filesystem=fs))
    column = pyarrow.dataset.field("x")
    step("pyarrow counts rows by a filter", lambda: found.count_rows(filter=column >= 990), 20)


def paths() -> None:
    step("touch and info", lambda: (fs.touch(f"{ROOT}/empty"), fs.info(f"{ROOT}/empty")["size"])[1], 0)
    with fs.open(f"{ROOT}/large.bin", "wb") as file:
        file.write(LARGE)
    step("open to write", lambda: fs.size(f"{ROOT}/large.bin"), len(LARGE))

    def part() -> bytes:
        with fs.open(f"{ROOT}/large.bin", "rb", block_size=64 * 1024) as file:
            file.seek(5_000_000)
            return file.read(10)

    step("open, seek, read", part, LARGE[5_000_000:5_000_010])
    step("put and get", lambda: fs.put(str(work / "one.txt"), f"{ROOT}/put/one.txt"))
    step(
        "get", lambda: (fs.get(f"{ROOT}/put/one.txt", str(work / "got.txt")), (work / "got.txt").read_text())[1], "one"
    )
    step("cp", lambda: fs.cp(f"{ROOT}/large.bin", f"{ROOT}/copy.bin"))
    step("mv", lambda: fs.mv(f"{ROOT}/copy.bin", f"{ROOT}/moved.bin"))
    step("exists", lambda: (fs.exists(f"{ROOT}/copy.bin"), fs.exists(f"{ROOT}/moved.bin")), (False, True))
    step("glob", lambda: fs.glob(f"{ROOT}/tables/*.parquet"), [f"{ROOT}/tables/{name}.parquet" for name in "ab"])
    step("find", lambda: len(fs.find(ROOT)), 7)
    step("du", lambda: fs.du(f"{ROOT}/large.bin"), len(LARGE))
    step("walk", lambda: sorted(next(iter(fs.walk(ROOT)))[1]), ["put", "tables"])
    api.create_tag(REPO, tag="v1", repo_type=KIND)
    step("rm, recursive", lambda: fs.rm(f"{ROOT}/tables", recursive=True))
    step("gone", lambda: fs.exists(f"{ROOT}/tables/a.parquet"), False)
    step("but not at a revision", lambda: fs.exists(f"datasets/{REPO}@v1/tables/a.parquet"), True)
    step("by its url", lambda: fs.url(f"{ROOT}/a.csv"), f"{ENDPOINT}/datasets/{REPO}/resolve/main/a.csv")


def resume() -> None:
    got = Path(hf_hub_download(REPO, "large.bin", repo_type=KIND, local_dir=work / "resumed"))
    etag = next((work / "resumed").rglob("large.bin.metadata")).read_text().split("\n")[1]
    part = next((work / "resumed").rglob("large.bin.metadata")).with_name(f"x.{etag}.incomplete")
    got.unlink()
    part.write_bytes(LARGE[:4_000_000])
    again = lambda: Path(hf_hub_download(REPO, "large.bin", repo_type=KIND, local_dir=work / "resumed"))  # noqa: E731
    step("a download that broke off", lambda: again().read_bytes() == LARGE, True)
    url, headers = (
        f"{ENDPOINT}/{ROOT}/resolve/main/large.bin",
        {"Authorization": f"Bearer {api.token or os.environ['HF_TOKEN']}"},
    )
    seen = httpx2.head(url, headers=headers)
    step("HEAD", lambda: (seen.status_code, seen.headers["content-length"]), (200, str(len(LARGE))))
    known = {**headers, "If-None-Match": seen.headers["etag"]}
    step(
        "not changed",
        lambda: [httpx2.request(way, url, headers=known).status_code for way in ("GET", "HEAD")],
        [304, 304],
    )
    first = step("snapshot_download", lambda: snapshot_download(REPO, repo_type=KIND))
    blobs = {file: file.stat().st_mtime_ns for file in (Path(first).parents[1] / "blobs").iterdir()}
    fs.write_text(f"{ROOT}/empty", "no longer")
    second = step("snapshot_download of what changed", lambda: snapshot_download(REPO, repo_type=KIND))
    step("a folder for each version", lambda: first == second, False)
    step("other files stay where they are", lambda: {file: file.stat().st_mtime_ns for file in blobs} == blobs, True)
    (work / "many").mkdir()
    for number in range(12):
        (work / "many" / f"{number}.bin").write_bytes(os.urandom(1_500_000))
    sender = subprocess.Popen([sys.executable, "-c", SEND], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.9)  # somewhere on its way, or before, or after
    sender.send_signal(signal.SIGKILL)
    sender.wait()
    subprocess.run([sys.executable, "-c", SEND], check=True, capture_output=True, timeout=60)
    sizes = [one.size for one in api.list_repo_tree(REPO, "many", repo_type=KIND)]
    step("upload_folder, killed and sent again", lambda: sizes, [1_500_000] * 12)


def found_again() -> None:
    card = b"---\nlicense: cc-by-4.0\nlanguage: [ar, fr]\ntask_categories: [text-classification]\n---\n# Dunes\n"
    api.upload_file(path_or_fileobj=io.BytesIO(card), path_in_repo="README.md", repo_id=REPO, repo_type=KIND)
    ids = lambda **more: [one.id for one in api.list_datasets(author=PROJECT, **more)]  # noqa: E731
    step("list_datasets, search", lambda: ids(search=f"through-{os.getpid()}"), [REPO])
    step(
        "list_datasets, by language and licence", lambda: REPO in ids(filter=["language:ar", "license:cc-by-4.0"]), True
    )
    step("list_datasets, another language", lambda: REPO in ids(filter="language:de"), False)
    step("list_datasets, by task", lambda: REPO in ids(filter="task_categories:text-classification"), True)
    step("list_datasets, sorted, limit", lambda: len(ids(sort="last_modified", limit=1)), 1)
    tags = step("tags of its card", lambda: api.dataset_info(REPO).tags)
    step("are those", lambda: {"language:fr", "license:cc-by-4.0"} <= set(tags), True)
    step("list_models", lambda: REPO in [one.id for one in api.list_models(author=PROJECT)], False)
    away = lambda: api.move_repo(REPO, f"{OTHER}/elsewhere", repo_type=KIND)  # noqa: E731
    fails("move_repo to another project", BadRequestError, away)
    step("it is where it was", lambda: api.dataset_info(REPO).id, REPO)
    api.delete_repo(REPO, repo_type=KIND)


if __name__ == "__main__":
    (work / "one.txt").write_text("one")
    walk(tables, paths, resume, found_again)
