"""A version as Croissant: which of its files are told one by one, and which columns its tables have."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import islice
from threading import Lock
from typing import Any, Final

from eureka_park.data.cards.service import CardsService
from eureka_park.data.core.columns import SAMPLE_BYTES, Column, columns_of_csv, columns_of_json_lines
from eureka_park.data.core.croissant import FILES_MAX, Described, croissant
from eureka_park.data.core.entry import Entry
from eureka_park.data.core.repository import Commit, Repository
from eureka_park.data.objects.reading import Blob
from eureka_park.data.objects.service import ObjectsService
from eureka_park.data.repositories.versions import Versions
from eureka_park.foundation.errors import NotFound, Unavailable

TABLES_MAX: Final = 20  # of a version whose columns are told
PARQUETS_MAX: Final = 4  # of these that are Parquet, each a process of its own
KEPT: Final = 500
Parquet = Callable[[Blob], Sequence[Column]]


class Describer:
    """Describes versions."""

    def __init__(self, versions: Versions, objects: ObjectsService, cards: CardsService) -> None:
        self._versions, self._objects, self._cards = versions, objects, cards
        self._kept: OrderedDict[tuple[str, str, str], Sequence[Column]] = OrderedDict()
        self._lock = Lock()

    def describe(
        self, repository: Repository, version: Commit, of: Described, parquet: Parquet | None = None
    ) -> dict[str, Any]:
        """The JSON-LD of a version. `parquet` reads the columns of a Parquet file; None where nothing here can.

        Raises NotFound or Unavailable where its card cannot be read.
        """
        files, folders = self._files(version)
        columns: dict[str, Sequence[Column]] = {}
        n_parquets = 0
        for entry in files:
            if len(columns) == TABLES_MAX:
                break
            ending = entry.path.rpartition(".")[2].lower()
            n_parquets += ending == "parquet"
            if ending == "parquet" and n_parquets > PARQUETS_MAX:
                continue
            if found := self._columns(repository, entry, ending, parquet):
                columns[entry.path] = found
        return croissant(of, self._cards.card(repository, version), files, folders, columns)

    def _files(self, version: Commit) -> tuple[list[Entry], list[str]]:
        """Files to be told one by one, and folders that are only named: a tree of a million files is not walked."""
        tree = self._versions.tree(version)
        if version.n_files <= FILES_MAX:
            return list(tree.scan()), []
        listed = list(islice(tree.listed(""), FILES_MAX + 1))
        if len(listed) > FILES_MAX:
            return [one.entry for one in listed[:FILES_MAX] if one.entry], [""]
        return [one.entry for one in listed if one.entry], [one.path for one in listed if one.entry is None]

    def _columns(self, repository: Repository, entry: Entry, ending: str, parquet: Parquet | None) -> Sequence[Column]:
        if ending not in ("csv", "tsv", "jsonl", "ndjson", "parquet"):
            return ()
        key = (repository.project_id, entry.sha256, ending)
        with self._lock:
            if key in self._kept:
                return self._kept[key]
        try:
            found = self._read(self._objects.open(repository.project_id, entry.sha256), ending, parquet)
        except (NotFound, Unavailable):
            return ()
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found

    def _read(self, blob: Blob, ending: str, parquet: Parquet | None) -> Sequence[Column]:
        if ending == "parquet":
            return parquet(blob) if parquet is not None else ()
        sample = b"".join(blob.read(0, min(blob.size_bytes, SAMPLE_BYTES)))
        is_whole = len(sample) == blob.size_bytes
        if ending in ("jsonl", "ndjson"):
            return columns_of_json_lines(sample, is_whole=is_whole)
        return columns_of_csv(sample, is_whole=is_whole, delimiter="\t" if ending == "tsv" else ",")
