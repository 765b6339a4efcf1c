"""Bringing outputs home: to a temporary file first, then under their name; never outside the folder that was named."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from eureka_park.client.transport import Transport
from eureka_park.client.views import OutputFile
from eureka_park.foundation.errors import BadInput, NotFound, Unavailable

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
                _write(target, _counted(chunks, item, told))
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
    bad = (
        any(part in {"", ".", ".."} for part in parts)
        or "\\" in path
        or "\0" in path
        or (os.name == "nt" and ":" in path)
    )
    target = to.joinpath(*parts) if not bad else to
    if bad or not target.parent.resolve().is_relative_to(to.resolve()):
        raise BadInput(
            f"The output '{path}' would be written outside '{to}'.",
            fix="Fetch other outputs by name.",
            code="unsafe_path",
        )
    return target


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


def _write(target: Path, chunks: Iterable[bytes]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".park-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            for chunk in chunks:
                stream.write(chunk)
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
