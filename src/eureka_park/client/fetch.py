"""Bringing outputs home: to a temporary file first, then under their name; never outside the folder that was named."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from eureka_park.client.transport import Transport
from eureka_park.client.views import OutputFile
from eureka_park.foundation.errors import BadInput, NotFound, Unavailable

IS_WINDOWS: Final = os.name == "nt"
_DEVICE: Final = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
_ODD: Final = re.compile(r'[<>"|?*\x00-\x1f]')
Told = Callable[[str, int, int], None]  # path, bytes that have come, size


def bring(
    transport: Transport, outputs_path: str, outputs: Sequence[OutputFile], path: str | None, to: Path, told: Told
) -> list[Path]:
    """Fetch the chosen outputs into `to`. Every target is checked before the first byte travels."""
    chosen = _chosen(outputs, path)
    targets = [(item, safe_target(to, item["path"])) for item in chosen]
    for item, target in targets:
        try:
            with transport.download(f"{outputs_path}/{quote(item['path'], safe='/')}") as chunks:
                write_whole(target, _counted(chunks, item, told))
        except OSError as error:
            raise Unavailable(
                f"{target} cannot be written: {error.strerror}.", fix="Make room, or name another folder with --to."
            ) from None
    return [target for _, target in targets]


def _counted(chunks: Iterable[bytes], item: OutputFile, told: Told) -> Iterator[bytes]:
    n_bytes = 0
    for chunk in chunks:
        n_bytes += len(chunk)
        told(item["path"], n_bytes, item["size_bytes"])
        yield chunk


def safe_target(to: Path, path: str) -> Path:
    """Where an output goes below `to`. Raises BadInput (`unsafe_path`) for a path or link that leads out of it."""
    parts = path.split("/")
    if IS_WINDOWS and any(is_bad_on_windows(part) for part in parts):
        raise BadInput(
            f"Windows cannot keep a file named '{path}'.",
            fix="Fetch other outputs by name, or this one on another system.",
            code="unsafe_path",
        )
    bad = any(part in {"", ".", ".."} for part in parts) or "\\" in path or "\0" in path
    target = to.joinpath(*parts) if not bad else to
    if bad or not target.parent.resolve().is_relative_to(to.resolve()):
        raise BadInput(
            f"The output '{path}' would be written outside '{to}'.",
            fix="Fetch other outputs by name.",
            code="unsafe_path",
        )
    return target


def is_bad_on_windows(name: str) -> bool:
    """Whether Windows takes a name for a device or a stream, or cannot keep it as it is."""
    return ":" in name or name.endswith((".", " ")) or bool(_DEVICE.fullmatch(name)) or bool(_ODD.search(name))


def _chosen(outputs: Sequence[OutputFile], path: str | None) -> list[OutputFile]:
    if path is None:
        return list(outputs)
    name = path.strip("/")
    chosen = [item for item in outputs if item["path"] == name or item["path"].startswith(name + "/")]
    if not chosen:
        have = ", ".join(item["path"] for item in outputs[:5]) or "none"
        more = ", ..." if len(outputs) > 5 else ""
        raise NotFound(f"The job has no output '{path}'.", fix=f"It has: {have}{more}.", code="no_output")
    return chosen


def write_whole(target: Path, chunks: Iterable[bytes]) -> None:
    """Write a file whole or not at all, its folders with it. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".park-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            for chunk in chunks:
                stream.write(chunk)
        if not IS_WINDOWS:  # there a temporary file has the rights of its folder already
            Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    # There is no call that only reads it.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
