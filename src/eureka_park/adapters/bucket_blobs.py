"""Objects of the data store in a bucket of an S3 server, through obstore: `PARK_BLOBS=s3://bucket/folder`.

Address, region and credentials come from the usual variables (`AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID`,
`AWS_SECRET_ACCESS_KEY`, or those of a role). What comes is still staged on the machine's own disk, as its hash is known
only at its end; then it is sent. An object is there whole or not at all, so nothing is left to be synced.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, GenericError, PermissionDeniedError, UnauthenticatedError
from obstore.store import from_url

from eureka_park.adapters.blobs import PIECE_BYTES, VARIABLE, Blobs
from eureka_park.data.ports import Stored
from eureka_park.foundation.errors import BadInput, Conflict, NotFound, Unavailable

# One request may put so much at once and only where there is none yet (If-None-Match); more goes in parts.
WHOLE_BYTES: Final = 8 * 1024**2
PART_BYTES: Final = 16 * 1024**2  # at most 10,000 of these, and SENDERS at once in memory
PART_BYTES_MOST: Final = 128 * 1024**2
SENDERS: Final = 2
WINDOW_BYTES: Final = 32 * 1024**2  # that one request reads: its time is bounded, however slow the reader is
_CLIENT: Final = {"timeout": "300s", "connect_timeout": "10s"}
_RETRY: Final = {"max_retries": 5}
_ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


class BucketBlobs(Blobs):
    """Objects by key in a bucket; what comes is staged in `folder`."""

    def __init__(self, folder: Path, url: str) -> None:
        """Raises BadInput for what names no bucket."""
        super().__init__(folder)
        self._bucket: Any = _opened(url)

    def keep(self, file: Path, key: str, *, is_durable: bool = True) -> None:
        """Send a staged file. Only a small one can be refused where its key is taken: keys are given once anyhow."""
        size_bytes = file.stat().st_size
        with _bucket_troubles():
            if size_bytes <= WHOLE_BYTES:
                obstore.put(self._bucket, key, file, mode="create")
            else:
                part_bytes = max(PART_BYTES, min(PART_BYTES_MOST, -(-size_bytes // 9_000)))
                obstore.put(self._bucket, key, file, chunk_size=part_bytes, max_concurrency=SENDERS)
        file.unlink(missing_ok=True)

    def put(self, key: str, content: bytes) -> None:
        """Send a small object; it is durable at once."""
        with _bucket_troubles():
            obstore.put(self._bucket, key, content, mode="create")

    def sync(self) -> None:
        """Nothing is left to do."""

    def place(self, key: str) -> Path | None:
        """None: also what still lies on the disk from before is read in the bucket."""
        return None

    def read(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """The bytes [start, end) of an object, in pieces of a mebibyte or so."""
        while start < end:
            until = min(end, start + WINDOW_BYTES)
            with _bucket_troubles(key):
                try:
                    yield from self._window(key, start, until)
                except GenericError:
                    self._check_size(key, end)
                    raise
            start = until

    def _window(self, key: str, start: int, end: int) -> Iterator[bytes]:
        if end - start <= PIECE_BYTES:
            yield bytes(obstore.get_range(self._bucket, key, start=start, end=end))
        else:
            answer = obstore.get(self._bucket, key, options={"range": (start, end)})
            yield from (bytes(piece) for piece in answer.stream(min_chunk_size=PIECE_BYTES))

    def _check_size(self, key: str, end: int) -> None:
        """Raise NotFound for an object that has not so many bytes: its server answers, so it is cut short."""
        if obstore.head(self._bucket, key)["size"] < end:
            raise NotFound(f"The object {key} is cut short.", fix="See: park data scrub", code="object_lost") from None

    def listed(self) -> Iterator[Stored]:
        """All objects."""
        with _bucket_troubles():
            for block in obstore.list(self._bucket):
                yield from (Stored(one["path"], one["size"], one["last_modified"].timestamp()) for one in block)

    def drop(self, key: str) -> None:
        """Take an object away."""
        with _bucket_troubles(), suppress(FileNotFoundError):
            obstore.delete(self._bucket, key)


def make_blobs(folder: Path, url: str) -> Blobs:
    """Objects in a folder or, where a URL is given, in a bucket. Raises BadInput for a wrong URL."""
    return BucketBlobs(folder, url) if url else Blobs(folder)


def _opened(url: str) -> Any:
    name = url.partition("://")[2].partition("/")[0]
    if not url.startswith(("s3://", "s3a://")) or not name:
        raise BadInput(f"{VARIABLE} names no bucket.", fix="Write it as s3://bucket/folder.", code="bad_blobs_url")
    address = next((os.environ[word] for word in _ENDPOINTS if os.environ.get(word)), "")
    config = {"endpoint": address} if address else {}
    options = {**_CLIENT, "allow_http": address.startswith("http://")}
    try:
        return from_url(url, config=config, client_options=options, retry_config=_RETRY)  # type: ignore[call-overload]
    except (BaseError, ValueError) as error:
        raise BadInput(
            f"{VARIABLE} and the AWS variables make up no bucket: {_first_line(error)}",
            fix="Write it as s3://bucket/folder, and set AWS_ENDPOINT_URL and AWS_REGION.",
            code="bad_blobs_url",
        ) from error


@contextmanager
def _bucket_troubles(key: str = "") -> Iterator[None]:
    """Say in plain words what the server of the bucket refuses."""
    try:
        yield
    except FileNotFoundError as error:
        if key and "NoSuchBucket" not in str(error):
            raise NotFound(f"The object {key} is lost.", fix="See: park data scrub", code="object_lost") from None
        raise _silent("There is no such bucket.") from error
    except AlreadyExistsError as error:
        raise Conflict("The object is there already.", fix="Send it again.", code="object_taken") from error
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise _silent("The server of the bucket refuses the park's access key.") from error
    except BaseError as error:
        raise _silent(f"The bucket of the store does not answer: {_first_line(error)}") from error


def _silent(message: str) -> Unavailable:
    fix = f"Check {VARIABLE}, the AWS variables and the server, then try again."
    return Unavailable(message, fix=fix, code="store_silent")


def _first_line(error: Exception) -> str:
    """Without the debug text that follows; an address may carry no secret here, as none is put into one."""
    return str(error).partition("\n")[0][:300]


__all__ = ["BucketBlobs", "make_blobs"]
