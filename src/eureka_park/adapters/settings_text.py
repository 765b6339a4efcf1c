"""Changing a TOML file of settings and keeping all else in it as it stands: comments, order, blank lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eureka_park.foundation.errors import BadInput

Values = Mapping[str, Any]  # None takes a field away


def changed(text: str, tables: Mapping[str, Values | None], providers: Mapping[str, Values | None]) -> str:
    """The text with some fields set. `tables`: by name, fields to be set, or None to take the table away; `providers`:
    the same for the [[oidc]] of an id. Raises BadInput for a text that is no TOML.
    """
    import tomlkit  # only whoever changes settings needs it
    from tomlkit.exceptions import TOMLKitError

    try:
        found = tomlkit.parse(text)
    except TOMLKitError as error:
        raise BadInput(f"The file cannot be read: {error}", fix="Mend it by hand.", code="bad_accounts_file") from None
    for name, values in tables.items():
        if values is None:
            found.pop(name, None)
            continue
        if name not in found:
            found[name] = tomlkit.table()
        _set(found[name], values)
    for provider_id, values in providers.items():
        _set_provider(found, provider_id, values)
    return tomlkit.dumps(found)


def _set_provider(found: Any, provider_id: str, values: Values | None) -> None:
    import tomlkit

    if "oidc" not in found:
        if values is None:
            return
        found["oidc"] = tomlkit.aot()
    known = next((item for item in found["oidc"] if item.get("id") == provider_id), None)
    if values is None:
        left = [item for item in found["oidc"] if item.get("id") != provider_id]
        found.pop("oidc")
        if left:
            found["oidc"] = tomlkit.aot()
            for item in left:
                found["oidc"].append(item)
        return
    if known is None:
        known = tomlkit.table()
        known["id"] = provider_id
        _set(known, values)
        found["oidc"].append(known)
    else:
        _set(known, values)


def _set(table: Any, values: Values) -> None:
    for key, value in values.items():
        if value is None:
            table.pop(key, None)
        elif table.get(key) != value:  # what stays the same keeps its form
            table[key] = value
