"""A data set and a model in a park: a card, a table, a picture, scripts in files; what tests of pages look at."""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any, Final

from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.data.core.entry import git_oid
from eureka_park.data.core.repository import Commit, Operation, Put, Remove, Repository, RepositoryKind
from eureka_park.data.objects.service import Batch
from eureka_park.data.repositories.versions import Draft

CARD: Final = """---
license: cc-by-4.0
language: [fr, ar]
tags: [wind]
---
# Dunes

Hourly **wind** · رياح. See [masts](raw/masts.csv), [out](../../../../etc/passwd), [js](javascript:alert(1)).

![mast](mast.png) ![spy](https://spy.example/x.png)

<script>alert('card')</script>
"""
MASTS: Final = "mast,place,height_m,since\n" + "".join(
    f"M{index:02d},{['Tarfaya', 'طرفاية'][index % 2]},{60 + index},2019-01-{1 + index % 28:02d}\n"
    for index in range(120)
)
PAGE_WITH_SCRIPT: Final = b"<html><script>alert('page')</script></html>"
DRAWING: Final = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def png() -> bytes:
    """A picture of one dot."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0\x20\x40\x80")) + chunk(b"IEND", b"")


def weights() -> bytes:
    """A file of weights with two tensors."""
    head: dict[str, Any] = {
        "a.weight": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]},
        "b.bias": {"dtype": "F32", "shape": [3], "data_offsets": [12, 24]},
    }
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + bytes(24)


def commit(
    park: Park, who: Principal, repository: Repository, files: dict[str, bytes | None], title: str = "Add files"
) -> Commit:
    """Commit small files; None takes one away."""
    batch, operations = Batch(), list[Operation]()
    for path, content in files.items():
        if content is None:
            operations.append(Remove(path))
        else:
            row = park.data.objects.put_small(repository.project_id, batch, content)
            operations.append(Put(path, row.sha256, row.size_bytes, git_oid(content)))
    return park.data.repositories.versions.commit(repository, who, Draft("main", title, operations), batch)


class DataScene:
    """`dunes` and `sand` in a project of the owner; `paths`: pages to look at."""

    def __init__(self, park: Park, who: Principal, project: str) -> None:
        repositories = park.data.repositories
        self.park, self.who, self.project = park, who, project
        self.dunes = repositories.create(who, RepositoryKind.DATASET, project, "dunes")
        files: dict[str, bytes | None] = {
            "README.md": CARD.encode(),
            "raw/masts.csv": MASTS.encode(),
            "mast.png": png(),
        }
        files["old.txt"] = b"old\n"
        self.first = commit(park, who, self.dunes, files, "Add the masts")
        more: dict[str, bytes | None] = {"page.html": PAGE_WITH_SCRIPT, "drawing.svg": DRAWING, "old.txt": None}
        changed = MASTS.replace("M01,", "M91,", 1).encode()
        self.head = commit(park, who, self.dunes, {**more, "raw/masts.csv": changed}, "Correct a mast")
        repositories.versions.add_ref(self.dunes, "tag", "v1", self.first.commit_id)
        park.data.files.make_bucket(who, project, f"{project}-plots")
        park.data.files.put(who, f"{project}-plots", "2026/wind.txt", iter([b"windy"]))
        self.sand = repositories.create(who, RepositoryKind.MODEL, project, "sand")
        commit(park, who, self.sand, {"model.safetensors": weights(), "README.md": b"# Sand\n"})

    @property
    def paths(self) -> tuple[str, ...]:
        """Every page of data, most of them once."""
        base, sand = f"/data/datasets/{self.project}/dunes", f"/data/models/{self.project}/sand"
        return (
            "/data", base, sand, f"{base}/tree/main", f"{base}/tree/v1/raw", f"{base}/file/main/raw/masts.csv",
            f"{base}/file/main/page.html", f"{base}/file/v1/mast.png", f"{sand}/file/main/model.safetensors",
            f"{base}/history/main", f"{base}/commit/{self.head.commit_id}", f"{base}/compare?old=v1&new=main",
            f"{base}/versions", f"/data/buckets/{self.project}-plots?prefix=2026%2F", f"{base}/lineage",
            f"{base}/settings",
        )  # fmt: skip
