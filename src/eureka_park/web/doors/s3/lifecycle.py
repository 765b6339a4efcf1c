"""Lifecycle rules as documents. What the park does not do is refused, not forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from eureka_park.data.core.bucket import LifecycleRule
from eureka_park.web.doors.s3 import documents
from eureka_park.web.doors.s3.documents import Node, Value
from eureka_park.web.doors.s3.faults import Fault

_STATES: Final = ("Enabled", "Disabled")
_PARTS: Final = frozenset({
    "ID", "Status", "Prefix", "Filter", "Expiration", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload",
})  # fmt: skip


def rules_of(node: Node) -> list[LifecycleRule]:
    """The rules of a document. Raises Fault."""
    rules = [_rule(one, number) for number, one in enumerate(node.all("Rule"), 1)]
    if not rules or len(rules) < len(node.children):
        raise documents.malformed()
    return rules


def _rule(node: Node, number: int) -> LifecycleRule:
    for child in node.children:
        if child.name not in _PARTS:
            raise _absent(child.name)
    ends, former, uploads = (
        node.get("Expiration"), node.get("NoncurrentVersionExpiration"), node.get("AbortIncompleteMultipartUpload"),
    )  # fmt: skip
    if ends is not None and ends.get("Date") is not None:
        raise _absent("Date")
    return LifecycleRule(
        node.text_of("ID") or f"rule-{number}",
        _prefix(node),
        documents.one_of(node.text_of("Status"), _STATES) == "Enabled",
        _days(ends, "Days"),
        _days(former, "NoncurrentDays"),
        _days(former, "NewerNoncurrentVersions") or 0,
        _days(uploads, "DaysAfterInitiation"),
        ends is not None and ends.text_of("ExpiredObjectDeleteMarker") == "true",
    )


def _prefix(node: Node) -> str:
    chosen = node.get("Filter")
    if chosen is None:
        found = node.get("Prefix")
        return "" if found is None else found.text
    inner = chosen.get("And") or chosen
    for child in inner.children:
        if child.name != "Prefix":
            raise _absent(child.name)
    found = inner.get("Prefix")
    return "" if found is None else found.text


def _days(node: Node | None, name: str) -> int | None:
    text = node.text_of(name) if node is not None else ""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise documents.malformed()
    return int(text)


def _absent(name: str) -> Fault:
    return Fault("NotImplemented", f"Lifecycle rules have no {name[:80]} here.")


def written(rules: Sequence[LifecycleRule]) -> Mapping[str, Value]:
    """Rules as a document has them."""
    return {"Rule": [_written(rule) for rule in rules]}


def _written(rule: LifecycleRule) -> Mapping[str, Value]:
    value: dict[str, Value] = {
        "ID": rule.rule_id, "Filter": {"Prefix": rule.prefix}, "Status": "Enabled" if rule.is_on else "Disabled",
    }  # fmt: skip
    if rule.current_days is not None or rule.markers:
        value["Expiration"] = {"Days": rule.current_days, "ExpiredObjectDeleteMarker": rule.markers or None}
    if rule.noncurrent_days is not None:
        value["NoncurrentVersionExpiration"] = {
            "NoncurrentDays": rule.noncurrent_days, "NewerNoncurrentVersions": rule.n_newer_kept or None,
        }  # fmt: skip
    if rule.upload_days is not None:
        value["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": rule.upload_days}
    return value
