"""The routes of pages of data sets and models."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from eureka_park.web.pages import (
    data_buckets,
    data_card,
    data_change,
    data_file,
    data_history,
    data_lineage,
    data_list,
    data_raw,
    data_settings,
    data_tree,
    data_versions,
)

_AT: Final = "/data/{kinds}/{project}/{name}"
PAGES: Final[tuple[tuple[str, Any], ...]] = (
    ("/data", data_list.data_page),
    ("/data/buckets/{bucket}", data_buckets.bucket_page),
    (_AT, data_card.card_page),
    (f"{_AT}/tree/{{rest:path}}", data_tree.tree_page),
    (f"{_AT}/file/{{rest:path}}", data_file.file_page),
    (f"{_AT}/history/{{rest:path}}", data_history.history_page),
    (f"{_AT}/commit/{{commit_id}}", data_history.commit_page),
    (f"{_AT}/compare", data_history.compare_page),
    (f"{_AT}/versions", data_versions.versions_page),
    (f"{_AT}/lineage", data_lineage.lineage_page),
    (f"{_AT}/settings", data_settings.settings_page),
)
DEEDS: Final[tuple[tuple[str, Any], ...]] = (
    ("/data", data_list.begin),
    (f"{_AT}/ask", data_card.ask_page),
    (f"{_AT}/upload/{{rest:path}}", data_change.upload),
    (f"{_AT}/change/{{rest:path}}", data_change.change),
    (f"{_AT}/versions", data_versions.change_versions),
    (f"{_AT}/settings", data_settings.change_settings),
)


def add_data_pages(app: FastAPI) -> None:
    """Put these pages into the application."""
    bucket_file = "/data/buckets/{bucket}/raw"  # before what would take it for a repository
    app.add_api_route(bucket_file, data_buckets.bucket_file, methods=["GET"], include_in_schema=False)
    for ways, method in ((PAGES, "GET"), (DEEDS, "POST")):
        for path, endpoint in ways:
            app.add_api_route(path, endpoint, methods=[method], include_in_schema=False, response_class=HTMLResponse)
    app.add_api_route(f"{_AT}/raw/{{rest:path}}", data_raw.raw_page, methods=["GET"], include_in_schema=False)
