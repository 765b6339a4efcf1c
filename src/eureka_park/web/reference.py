"""The reference of the HTTP API as Markdown, from the application's own OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, cast

from eureka_park.bootstrap import Park
from eureka_park.web.app import make_app

Schema = Mapping[str, Any]
INTRODUCTION = """# The HTTP API

This page is made from the park itself by `python docs/reference/make.py`; a running park gives the same as
`/api/v1/openapi.json`. Bodies are JSON in UTF-8, instants ISO 8601 with `Z`, energy kWh at the site meter.

Who asks is told by `Authorization: Bearer TOKEN` (`PARK_TOKEN`; see [environment.md](environment.md)). Without it one
sees what is public and changes nothing. Lists are `{"items": [...], "next": ...}`; `next` is given back as `after`.
Unknown fields are refused. Every answer carries `X-Request-Id`, which the log names too.

## Errors

Every error has one form. `code` is for programs and does not change; `field` is there when one place is to blame.

```
{"error": {"code": "bad_input", "message": "...", "fix": "...", "request_id": "...", "field": "cpus"}}
```

| status | meaning |
| --- | --- |
"""


def api_reference_markdown() -> str:
    """The whole page: every operation, every body, the one form of errors."""
    # The document follows from the routes alone; no park needs to run for it.
    park = cast(Park, SimpleNamespace(compute=SimpleNamespace(change_mark=int), site=None))
    document = make_app(park).openapi()
    return "\n".join([INTRODUCTION.rstrip("\n"), *_errors(document), "", *_operations(document), *_schemas(document)])


def _errors(document: Schema) -> Iterator[str]:
    found: dict[str, str] = {"405": "The path is there, but not for this method", "500": "A defect of the park"}
    for methods in document["paths"].values():
        for item in methods.values():
            found |= {code: told["description"] for code, told in item["responses"].items() if code >= "400"}
    yield from (f"| {code} | {found[code]} |" for code in sorted(found))


def _operations(document: Schema) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, item in methods.items():
            yield from (f"## {method.upper()} {path}", "", _cell(item.get("description", item["summary"])), "")
            body = item.get("requestBody", {}).get("content", {}).get("application/json")
            rows = [
                _row(f"{told['name']} ({told['in']})", told, _given(told["schema"]))
                for told in item.get("parameters", ())
            ]
            if rows:
                yield from ("| parameter | type | meaning |", "| --- | --- | --- |", *rows, "")
            if body is not None:
                yield from (f"Body: {_type(body['schema'])}", "")
            yield from (f"Answer: {_answer(item)}", "")


def _answer(item: Schema) -> str:
    code, told = next((code, told) for code, told in item["responses"].items() if code < "300")
    content = told.get("content", {})
    kind = next(iter(content), "")
    schema = content.get(kind, {}).get("schema", {})
    if "$ref" in schema:
        return f"{code}, {_type(schema)}"
    return f"{code}, {kind}" if kind else code


def _schemas(document: Schema) -> Iterator[str]:
    for name, schema in document["components"]["schemas"].items():
        if name in {"Error", "ErrorBody"}:
            continue
        yield from (f"## {name}", "", _cell(schema.get("description", "")), "")
        yield from ("| field | type | meaning |", "| --- | --- | --- |")
        is_sent = schema.get("additionalProperties") is False  # only what is sent may leave something out
        for field, told in schema["properties"].items():
            yield _row(field, told, told, is_needed=is_sent and field in schema.get("required", ()))
        yield ""


def _row(name: str, told: Schema, schema: Schema, *, is_needed: bool = False) -> str:
    notes = [_cell(told["description"])] if "description" in told else []
    notes += ["required"] if is_needed else []
    notes += [f"default `{schema['default']}`"] if "default" in schema else []
    notes += [limits] if (limits := _limits(schema)) else []
    return f"| `{name}` | {_type(schema)} | {'; '.join(notes)} |"


def _given(schema: Schema) -> Schema:
    """A parameter's schema without null: it is left out instead."""
    some = [item for item in schema.get("anyOf", ()) if item.get("type") != "null"]
    return some[0] if len(some) == 1 else schema


def _limits(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if high is not None and abs(high) > 2**40:
        return ""  # what a computer can count to tells a reader nothing
    if low is not None and high is not None:
        return f"{low:.10g} to {high:.10g}"
    return f"at least {low:.10g}" if low is not None else ""


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(item) for item in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_type(schema['items'])}"
    more = schema.get("additionalProperties")
    return f"map to {_type(more)}" if kind == "object" and isinstance(more, Mapping) else kind


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
