"""Buckets of projects: their files a folder at a time, to look at and to download."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import Response

from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.foundation.errors import NotFound
from eureka_park.web.auth import Anyone, park_of, url_of
from eureka_park.web.charts.rosette import rosette
from eureka_park.web.pages.data_raw import bytes_of
from eureka_park.web.pages.draw import page, words_of
from eureka_park.web.pages.people_words import sign_in_first
from eureka_park.web.pages.words import Words

PAGE: Final = 100
SHOWN: Final = 60


def buckets_of(park: Park, words: Words, who: Principal | None, project_id: str) -> list[dict[str, Any]]:
    """The buckets that one may read, for the list of data."""
    found = park.data.files.buckets(who, project_id)[:SHOWN]
    return [
        {
            "name": one.name, "project": one.project_id, "link": _link(one.name), "size": words.size(one.size_bytes),
            "n": words.count("{n} version", "{n} versions", one.n_versions),
            "picture": rosette(one.bucket_id, "bucket"),
        }
        for one in found
    ]  # fmt: skip


def _link(bucket: str, prefix: str = "", after: str = "") -> str:
    asked = {name: value for name, value in (("prefix", prefix), ("after", after)) if value}
    return f"/data/buckets/{quote(bucket, safe='')}{'?' + urlencode(asked) if asked else ''}"


def bucket_page(request: Request, who: Anyone, bucket: str) -> Response:
    """A folder of a bucket."""
    park, words = park_of(request), words_of(request)
    prefix, after = (request.query_params.get(name, "")[:1100] for name in ("prefix", "after"))
    try:
        found = park.data.files.bucket(who, bucket)
    except NotFound:
        if who is None:
            return sign_in_first(request)
        raise
    listed = park.data.files.list(who, bucket, prefix, delimiter="/", after=after, most=PAGE)
    now_s = park.clock.real_s()
    rows = [
        {"name": name[len(prefix) :].rstrip("/"), "link": _link(bucket, name), "size": "", "when": "", "raw": ""}
        for name in listed.prefixes
    ]
    rows += [
        {
            "name": one.key[len(prefix) :], "size": words.size(one.size_bytes),
            "when": words.when(one.made_at_s, now_s), "link": "",
            "raw": f"/data/buckets/{quote(bucket, safe='')}/raw?{urlencode({'key': one.key})}",
        }
        for one in listed.files
        if one.key != prefix
    ]  # fmt: skip
    return page(
        request, "data_bucket.html", "/data", bucket=found, rows=rows, crumbs=_crumbs(bucket, prefix),
        size=words.size(found.size_bytes), versions=words.count("{n} version", "{n} versions", found.n_versions),
        next=_link(bucket, prefix, listed.next) if listed.next else "", is_later=bool(after),
        back=_link(bucket, prefix),
        picture=rosette(found.bucket_id, "bucket"), address=url_of(request),
    )  # fmt: skip


def _crumbs(bucket: str, prefix: str) -> Sequence[tuple[str, str]]:
    names = [name for name in prefix.split("/") if name]
    found = [(bucket, _link(bucket))]
    found += [(name, _link(bucket, "/".join(names[:depth]) + "/")) for depth, name in enumerate(names, 1)]
    return [*found[:-1], (found[-1][0], "")]


def bucket_file(request: Request, who: Anyone, bucket: str) -> Response:
    """A file of a bucket, or a part of it."""
    park = park_of(request)
    try:
        opened = park.data.files.open(who, bucket, request.query_params.get("key", "")[:1100])
    except NotFound:
        if who is None:
            return sign_in_first(request)
        raise
    return bytes_of(request, opened.read, opened.file.size_bytes, opened.file.key, opened.file.etag)
