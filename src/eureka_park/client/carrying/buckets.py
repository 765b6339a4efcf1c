"""S3 and what speaks like it, through obstore: keys below a prefix, credentials of the usual variables (AWS_...)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from eureka_park.client.carrying.items import Item, path_fault
from eureka_park.foundation.errors import BadInput, Unavailable

_ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


class Bucket:
    """A place `s3://bucket/prefix`. `endpoint`: of a server other than Amazon's; else the usual variables."""

    def __init__(self, address: str, endpoint: str = "") -> None:
        bucket, _, prefix = address.removeprefix("s3://").partition("/")
        if not bucket:
            raise BadInput(f"{address[:200]!a} names no bucket.", fix="Write s3://BUCKET/PREFIX.", code="bad_name")
        self.prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self.note = f"s3://{bucket}/{self.prefix}"
        found = endpoint or next((os.environ[name] for name in _ENDPOINTS if os.environ.get(name)), "")
        self._store = _store(bucket, found)

    def items(self) -> Iterator[Item]:
        """All keys below the prefix; marks of folders are left out."""
        import obstore

        try:
            for page in obstore.list(self._store, prefix=self.prefix or None, chunk_size=1000):
                for one in page:
                    path = str(one["path"]).removeprefix(self.prefix)
                    if path and not path.endswith("/"):
                        yield self._item(path, one)
        except Exception as error:  # the library has exceptions of its own
            raise _refused(self.note, error) from None

    def _item(self, path: str, one: Any) -> Item:
        mark = f"{one['size']}:{one['e_tag']}" if one.get("e_tag") else ""
        fetch = partial(self._fetch, str(one["path"]), goes_on=bool(mark))
        return Item(path, f"{self.note}{path}", int(one["size"]), mark=mark, fetch=fetch, fault=path_fault(path))

    def _fetch(self, key: str, part: Path, *, goes_on: bool) -> None:
        import obstore

        have_bytes = part.stat().st_size if goes_on and part.exists() else 0
        try:
            size_bytes = int(obstore.head(self._store, key)["size"])
            if have_bytes >= size_bytes:
                have_bytes = 0
            options: Any = {"range": {"offset": have_bytes}} if have_bytes else None
            with part.open("ab" if have_bytes else "wb") as target:
                for piece in obstore.get(self._store, key, options=options).stream(min_chunk_size=1024 * 1024):
                    target.write(memoryview(piece))
        except OSError:
            raise
        except Exception as error:
            raise _refused(f"{self.note}{key.removeprefix(self.prefix)}", error) from None

    def put(self, path: str, file: Path) -> None:
        """Write a file below the prefix, in parts where it is large. Raises Unavailable."""
        import obstore

        try:
            obstore.put(self._store, f"{self.prefix}{path}", file)
        except Exception as error:
            raise _refused(f"{self.note}{path}", error) from None

    def put_text(self, path: str, text: str) -> None:
        """Write a small text below the prefix. Raises Unavailable."""
        import obstore

        try:
            obstore.put(self._store, f"{self.prefix}{path}", text.encode())
        except Exception as error:
            raise _refused(f"{self.note}{path}", error) from None

    def sizes(self) -> dict[str, int]:
        """The sizes of what is there, by path below the prefix."""
        return {item.path: item.size_bytes or 0 for item in self.items()}


def _store(bucket: str, endpoint: str) -> Any:
    try:
        from obstore.store import S3Store
    except ImportError:
        raise BadInput(
            "S3 needs a library that is not installed.", fix="Install it: pip install obstore", code="no_s3"
        ) from None
    more: dict[str, Any] = {
        "region": os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    }
    if endpoint:
        more["endpoint"] = endpoint
    options: Any = {"allow_http": True, "timeout": "120s"} if endpoint.startswith("http://") else {"timeout": "120s"}
    try:
        return S3Store(bucket, client_options=options, **more)
    except Exception as error:
        raise BadInput(
            f"The bucket {bucket[:80]!a} cannot be used: {error}", fix="Check AWS_... and --endpoint."
        ) from None


def _refused(place: str, error: Exception) -> Unavailable:
    words = " ".join(str(error).split())[:300]
    return Unavailable(f"{place[:200]}: {words}", fix="Check the name, AWS_... and --endpoint.", code="source_refuses")
