"""The folder that `park observe slurm --out` writes: a page, a receipt for each job, energy by hour, all figures."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

from eureka_park.foundation.errors import Unavailable

RECEIPT: Final = (
    "job", "user", "account", "partition", "state", "start_at", "end_at", "wait_s", "gpu_type", "gpu_h", "cpu_h", "kwh",
    "gco2_g", "method",
)  # fmt: skip
HOUR: Final = ("at", "kwh", "gco2_g", "gpu_h")
_PART: Final = ".part"


class Written:
    """The folder while it is written: receipts go in one by one; what is not ended keeps the name `.part`."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._stream: IO[str] | None = None
        self._rows: Any = None

    def __enter__(self) -> Written:
        if self.folder is not None:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._stream = (self.folder / f"receipts.csv{_PART}").open("w", encoding="utf-8", newline="")
            except OSError as error:
                raise _not_written(self.folder, error) from None
            self._rows = csv.writer(self._stream)
            self._rows.writerow(RECEIPT)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            with suppress(OSError):  # a full disk was told already, or the reading failed for another reason
                self._stream.close()

    def receipt(self, receipt: Mapping[str, Any]) -> None:
        """One job."""
        try:
            self._rows.writerow([guarded(receipt[name]) for name in RECEIPT])
        except OSError as error:
            assert self.folder is not None
            raise _not_written(self.folder, error) from None

    def tables(self, found: Mapping[str, Any]) -> None:
        """What is known at the end: hours, all figures, and the page. Raises Unavailable where the disk refuses."""
        if self.folder is None or self._stream is None:
            return
        from eureka_park.cli.observe_page import page

        try:
            self._stream.close()
            (self.folder / f"receipts.csv{_PART}").replace(self.folder / "receipts.csv")
            with (self.folder / "hours.csv").open("w", encoding="utf-8", newline="") as stream:
                rows = csv.writer(stream)
                rows.writerow(HOUR)
                rows.writerows([hour[name] for name in HOUR] for hour in found["energy"]["by_hour"])
            (self.folder / "figures.json").write_text(json.dumps(found, ensure_ascii=False, indent=1), "utf-8")
            (self.folder / "index.html").write_text(page(found), "utf-8")
        except OSError as error:
            raise _not_written(self.folder, error) from None


def guarded(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value


def _not_written(folder: Path, error: OSError) -> Unavailable:
    return Unavailable(f"'{folder}' cannot be written: {error.strerror}.", fix="Choose another folder.")
