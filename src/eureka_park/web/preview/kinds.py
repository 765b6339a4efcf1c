"""What a file is, by its first bytes; its name decides only where bytes are texts. What may be shown as what."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Final

HEAD_BYTES: Final = 4096
# What browsers may be given as it is. SVG and HTML are texts here: they could run scripts.
_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
)
_RIFF: Final = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_FTYP: Final = {b"avif": "image/avif", b"M4A ": "audio/mp4", b"qt  ": ""}
_TABLES: Final = {"csv": "csv", "tsv": "csv", "tab": "csv", "jsonl": "jsonl", "ndjson": "jsonl", "json": "json"}
_MARKS: Final = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is: `picture`, `sound`, `film`, `csv`, `jsonl`, `json`, `parquet`, `safetensors`, `gguf`, `markdown`,
    `text` or '' for what is not shown; and the type under which a browser may have it.
    """

    name: str
    media_type: str = ""


def kind_of(path: str, head: bytes) -> Kind:
    """What a file is by its name and its first `HEAD_BYTES`."""
    media = media_type(head)
    if media:
        return Kind({"image": "picture", "audio": "sound", "video": "film"}[media.partition("/")[0]], media)
    ending = path.rpartition("/")[2].rpartition(".")[2].lower()
    if head.startswith(b"PAR1"):
        return Kind("parquet")
    if head.startswith(b"GGUF"):
        return Kind("gguf")
    if ending == "safetensors" and head[8:9] == b"{":
        return Kind("safetensors")
    if not is_text(head):
        return Kind("")
    if ending in ("md", "markdown"):
        return Kind("markdown")
    return Kind(_TABLES.get(ending, "text"))


def media_type(head: bytes) -> str:
    """The type of a picture, a sound or a film that browsers show without running anything; '' for anything else."""
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], "")
    if head[4:8] == b"ftyp":
        return _FTYP.get(head[8:12], "video/mp4")
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), "")


def is_text(head: bytes) -> bool:
    """Whether bytes are a text in UTF-8, UTF-16 with its mark, or one byte a letter; its end may be cut."""
    if head.startswith(_MARKS):
        return True
    if b"\0" in head:
        return False
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        text = head.decode("latin-1")
        n_letters = sum(letter.isalnum() or letter.isspace() for letter in text)
        return n_letters > 0.7 * len(text) and not _has_controls(text)
    return not _has_controls(text)


def _has_controls(text: str) -> bool:
    return any(letter < " " and letter not in "\t\n\r\f\x1b\b" for letter in text)
