"""A version as Croissant (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html): JSON-LD that other tools
load. Versions of many files are told by their folders.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

from eureka_park.data.core.card import Card
from eureka_park.data.core.columns import DATE, NUMBER, TEXT, TRUTH, WHOLE, Column
from eureka_park.data.core.entry import Entry

CONFORMS_TO: Final = "http://mlcommons.org/croissant/1.1"
RAI_CONFORMS_TO: Final = "http://mlcommons.org/croissant/RAI/1.0"
MEDIA_TYPE: Final = f'application/ld+json; profile="{CONFORMS_TO}"'
FILES_MAX: Final = 500  # of a version that are told one by one
DESCRIPTION_CHARS_MAX: Final = 2000
_TYPES: Final = {
    ".csv": "text/csv", ".tsv": "text/tab-separated-values", ".json": "application/json",
    ".jsonl": "application/jsonlines", ".ndjson": "application/jsonlines", ".parquet": "application/x-parquet",
    ".txt": "text/plain", ".md": "text/markdown", ".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg", ".tif": "image/tiff", ".tiff": "image/tiff", ".wav": "audio/x-wav", ".mp3": "audio/mpeg",
    ".flac": "audio/flac", ".mp4": "video/mp4", ".zip": "application/zip", ".tar": "application/x-tar",
    ".gz": "application/gzip", ".xml": "application/xml", ".yaml": "application/yaml", ".yml": "application/yaml",
}  # fmt: skip
_DATA_TYPES: Final = {
    WHOLE: "sc:Integer", NUMBER: "sc:Float", TRUTH: "sc:Boolean", TEXT: "sc:Text", DATE: "sc:DateTime",
}  # fmt: skip
_VERSION: Final = re.compile(r"v?((?:0|[1-9][0-9]{0,8})(?:\.(?:0|[1-9][0-9]{0,8})){0,2})")
_BLANKS: Final = re.compile(r"\s")
_BIBTEX: Final = re.compile(r"```bibtex\s*\n(.{1,5000}?)```", re.DOTALL)
_MARKS: Final = re.compile(r"[*_`#>\[\]]|\([^)]{0,500}\)|<[^>]{0,500}>")
_CONTEXT: Final[dict[str, Any]] = {
    "@language": "en", "@vocab": "https://schema.org/", "arrayShape": "cr:arrayShape", "citeAs": "cr:citeAs",
    "column": "cr:column", "conformsTo": "dct:conformsTo", "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/", "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"}, "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract", "field": "cr:field",
    "fileObject": "cr:fileObject", "fileProperty": "cr:fileProperty", "fileSet": "cr:fileSet", "format": "cr:format",
    "includes": "cr:includes", "isArray": "cr:isArray", "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5", "name": {"@container": "@language"},
    "parentField": "cr:parentField", "path": "cr:path", "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated",
    "replace": "cr:replace", "samplingRate": "cr:samplingRate", "sc": "https://schema.org/",
    "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField", "transform": "cr:transform",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Described:
    """What is described: a version of a data set, where it is, by whom and when it was made."""

    name: str
    url: str  # of its page
    files_url: str  # before the path of a file
    creator: str
    revision: str
    commit_id: str
    date: str


def encoding_format(path: str) -> str:
    """The media type of a file by its name."""
    name = path.rpartition("/")[2].lower()
    return _TYPES.get(f".{name.rpartition('.')[2]}", "application/octet-stream")


def croissant(
    of: Described, card: Card, files: Sequence[Entry], folders: Sequence[str], columns: Mapping[str, Sequence[Column]]
) -> dict[str, Any]:
    """The JSON-LD of a version: `files` one by one, of `folders` only that they are there, `columns` by path."""
    told: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": [CONFORMS_TO, RAI_CONFORMS_TO] if card.rai() or card.personal_data else CONFORMS_TO,
        "name": card.pretty_name or of.name,
        "alternateName": of.name,
        "description": describe(card) or f"{of.name}, a data set of {of.creator}.",
        "url": of.url,
        "version": version_of(of.revision, of.commit_id),
        "datePublished": of.date,
        "dateModified": of.date,
        "creator": {"@type": "sc:Organization", "name": of.creator},
        "license": card.licence.url or card.licence.expression or None,
        "keywords": list(card.tags) or None,
        "inLanguage": list(card.languages) or None,
        "citeAs": _cited(of, card),
        **_rai(card),
        "distribution": _distribution(of, files, folders),
        "recordSet": [_record_set(path, found) for path, found in columns.items() if found] or None,
    }
    return {key: value for key, value in told.items() if value is not None}


def version_of(revision: str, commit_id: str) -> str:
    """A tag such as v1.2 as a semantic version, else 0.0.0 with the commit."""
    found = _VERSION.fullmatch(revision)
    if found is None:
        return f"0.0.0+{commit_id[:12]}"
    parts = found.group(1).split(".")
    return ".".join([*parts, "0", "0"][:3])


def describe(card: Card) -> str:
    """The first paragraphs of the text, without marks."""
    lines = [line.strip() for line in card.body.split("\n## ", 1)[0].splitlines()]
    text = " ".join(line for line in lines if line and not line.startswith(("#", "|", "```", "![", "---")))
    return " ".join(_MARKS.sub("", text).split())[:DESCRIPTION_CHARS_MAX]


def _cited(of: Described, card: Card) -> str:
    found = _BIBTEX.search(card.body)
    if found is not None:
        return found.group(1).strip()
    title = card.pretty_name or of.name
    return f"{of.creator}: {title}, version {of.commit_id[:12]} ({of.date[:4]}). {of.url}"


def _rai(card: Card) -> dict[str, str]:
    told = {f"rai:{name}": text for name, text in card.rai().items()}
    if card.personal_data:
        why = f": {card.personal_data_why}" if card.personal_data_why else ""
        told["rai:personalSensitiveInformation"] = f"{card.personal_data}{why}"
    return told


def _distribution(of: Described, files: Sequence[Entry], folders: Sequence[str]) -> list[dict[str, Any]]:
    sets = [
        {
            "@type": "cr:FileSet", "@id": _id(f"files-of/{folder}"), "name": folder or "all files",
            "encodingFormat": "application/octet-stream", "includes": f"{folder}/**" if folder else "**",
        }
        for folder in folders
    ]  # fmt: skip
    return [*(_file_object(of, entry) for entry in files), *sets]


def _id(text: str) -> str:
    """A name that refers to a part: those with blanks, which readers do not take, get a mark of their own."""
    plain = _BLANKS.sub("_", text)
    return plain if plain == text else f"{plain}~{sha256(text.encode()).hexdigest()[:8]}"


def _file_object(of: Described, entry: Entry) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject", "@id": _id(entry.path), "name": entry.path,
        "contentUrl": f"{of.files_url}/{quote(entry.path, safe='/')}", "contentSize": f"{entry.size_bytes} B",
        "encodingFormat": encoding_format(entry.path), "sha256": entry.sha256,
    }  # fmt: skip


def _record_set(path: str, columns: Sequence[Column]) -> dict[str, Any]:
    name = _id(f"records/{path}")
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": path,
        "field": [
            {
                "@type": "cr:Field", "@id": _id(f"{name}/{column.name}"), "name": column.name,
                "dataType": _DATA_TYPES[column.kind],
                "source": {"fileObject": {"@id": _id(path)}, "extract": {"column": column.name}},
            }
            for column in columns
        ],
    }  # fmt: skip
