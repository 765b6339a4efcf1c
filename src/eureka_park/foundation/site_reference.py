"""The reference page of the site file, made from the model itself."""

from __future__ import annotations

from typing import Any, get_args

from eureka_park.foundation.site_file import allowed_text, is_section, sections


def site_reference_markdown() -> str:
    """All fields of the site file as Markdown tables: name, type, range, default, meaning."""
    lines = [
        "# Site file",
        "",
        "A park is described by one TOML file. `park site new NAME` writes one to start from, `park site check FILE`",
        "reads it and names line, field and allowed range of what is wrong. This page is made from the model that",
        "reads the file.",
        "",
    ]
    for header, meaning, model in sections():
        lines += [f"## `{header}`" if header else "## Top of the file", "", " ".join(meaning.split()), ""]
        lines += ["| name | type | unit or range | default | meaning |", "| --- | --- | --- | --- | --- |"]
        for name, field in model.model_fields.items():
            if is_section(field):
                continue
            default = "required" if field.is_required() else _default(field.default)
            cells = (f"`{name}`", _type(field.annotation), allowed_text(field), default, field.description or "")
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


def _default(value: Any) -> str:
    if value is None or value in ("", {}):
        return "none"
    if isinstance(value, tuple):
        return f"`[{', '.join(map(str, value))}]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _type(annotation: Any) -> str:
    names = {str: "text", float: "number", int: "whole number", bool: "true or false"}
    if annotation in names:
        return names[annotation]
    parts = [part for part in get_args(annotation) if part is not type(None) and part is not Ellipsis]
    if "dict" in str(annotation):
        return "table of numbers"
    if "tuple" in str(annotation):
        return "list of numbers"
    return next((names[part] for part in parts if isinstance(part, type) and part in names), "text")
