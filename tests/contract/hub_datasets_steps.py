"""Steps of the library `datasets` at its defaults against a served park; see hub_steps.py."""

from __future__ import annotations

import io
import os

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
from client_walk import PROJECT, STRANGER, fails, step, walk
from datasets import (
    Dataset,
    DatasetDict,
    get_dataset_config_info,
    get_dataset_config_names,
    get_dataset_split_names,
    load_dataset,
    load_dataset_builder,
)
from datasets.exceptions import DatasetNotFoundError
from datasets.hub import delete_from_hub
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import BadRequestError

FILES, PUSHED = f"{PROJECT}/files-{os.getpid()}", f"{PROJECT}/pushed-{os.getpid()}"
CARD = b"""---
license: mit
configs:
- config_name: table
  data_files:
  - split: train
    path: csv/train.csv
  - split: test
    path: csv/test.csv
- config_name: all
  data_files: csv/*.csv
---
# Dunes
"""
api = HfApi()
datasets.disable_progress_bars()


def parquet(n_rows: int) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"x": range(n_rows), "text": [f"row {number}" for number in range(n_rows)]}), buffer)
    return buffer.getvalue()


def load_files() -> None:
    api.create_repo(FILES, repo_type="dataset")
    contents = {
        "csv/train.csv": b"a,b\n1,x\n2,y\n",
        "csv/test.csv": b"a,b\n3,z\n",
        "json/rows.jsonl": b'{"q":"a"}\n{"q":"b"}\n',
        "parquet/part-0.parquet": parquet(1000),
        "parquet/part-1.parquet": parquet(500),
    }
    operations = [CommitOperationAdd(path, content) for path, content in contents.items()]
    api.create_commit(FILES, operations, commit_message="Files", repo_type="dataset")
    api.create_tag(FILES, tag="v1", repo_type="dataset")
    fails("a stranger", DatasetNotFoundError, lambda: load_dataset(FILES, token=STRANGER))
    sizes = lambda found: {name: split.num_rows for name, split in found.items()}  # noqa: E731
    rows = {"train": 2, "test": 1}
    step("load_dataset, csv, splits by names", lambda: sizes(load_dataset(FILES, data_dir="csv")), rows)
    json_file = f"hf://datasets/{FILES}/json/rows.jsonl"
    step("json by its hf:// address", lambda: load_dataset("json", data_files=json_file, split="train")["q"][1], "b")
    some = lambda **more: load_dataset(FILES, data_files="parquet/*.parquet", split="train", **more)  # noqa: E731
    step("parquet, two files", lambda: some().num_rows, 1500)
    step("streaming", lambda: next(iter(some(streaming=True).skip(1200)))["text"], "row 200")
    step("streaming, some columns", lambda: list(some(streaming=True, columns=["x"]).take(1)), [{"x": 0}])
    api.upload_file(path_or_fileobj=CARD, path_in_repo="README.md", repo_id=FILES, repo_type="dataset")
    step("get_dataset_config_names", lambda: get_dataset_config_names(FILES), ["table", "all"])
    step("get_dataset_split_names", lambda: get_dataset_split_names(FILES, "table"), ["train", "test"])
    first = lambda: load_dataset(FILES, "table", split="test")[0]  # noqa: E731
    step("load_dataset, a config of the card", first, {"a": 3, "b": "z"})
    step("load_dataset_builder", lambda: load_dataset_builder(FILES, "all").info.builder_name, "csv")
    old = lambda: sizes(load_dataset(FILES, revision="v1", data_dir="csv"))  # noqa: E731
    step("load_dataset, a revision", old, rows)
    fails("not there", DatasetNotFoundError, lambda: load_dataset(f"{PROJECT}/nothing"))


def push() -> None:
    rows = Dataset.from_dict({"n": list(range(2000)), "s": [os.urandom(100).hex() for _ in range(2000)]})
    few = rows.select(range(10))
    step("push_to_hub", lambda: rows.push_to_hub(PUSHED, private=True))
    step("push_to_hub, a second split", lambda: few.push_to_hub(PUSHED, split="test"))
    step("push_to_hub, the split again", lambda: rows.select(range(20)).push_to_hub(PUSHED, split="test"))
    step("push_to_hub, a second config, shards", lambda: rows.push_to_hub(PUSHED, "parts", num_shards=3))
    both = DatasetDict(train=rows.select(range(50)), dev=few)
    step("DatasetDict.push_to_hub", lambda: both.push_to_hub(PUSHED, "both"))
    step("IterableDataset.push_to_hub", lambda: few.to_iterable_dataset().push_to_hub(PUSHED, "flow"))
    step("its configs", lambda: sorted(get_dataset_config_names(PUSHED)), ["both", "default", "flow", "parts"])
    infos = step("get_dataset_config_info", lambda: get_dataset_config_info(PUSHED, "both").splits)
    step("rows of splits", lambda: {name: one.num_examples for name, one in infos.items()}, {"train": 50, "dev": 10})
    step("load_dataset, what was pushed", lambda: load_dataset(PUSHED, split="train")[:]["s"] == rows[:]["s"], True)
    step("the split as pushed last", lambda: load_dataset(PUSHED, split="test").num_rows, 20)
    step("three shards", lambda: load_dataset(PUSHED, "parts", split="train").to_dict() == rows.to_dict(), True)
    step("a slice", lambda: load_dataset(PUSHED, "both", split="train[:10%]").num_rows, 5)
    step("streaming it", lambda: sum(1 for _ in load_dataset(PUSHED, "flow", split="train", streaming=True)), 10)
    delete = lambda: delete_from_hub(PUSHED, "flow")  # noqa: E731
    fails("delete_from_hub makes a pull request", BadRequestError, delete)
    for name in (FILES, PUSHED):
        api.delete_repo(name, repo_type="dataset")


if __name__ == "__main__":
    walk(load_files, push)
