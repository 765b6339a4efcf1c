"""The key of a park, in its home."""

from __future__ import annotations

from eureka_park.adapters.home import Home
from eureka_park.foundation.errors import BadInput


def key_of(home: Home) -> bytes:
    """The park's own key: it signs what the database alone must not be believed in.

    Raises BadInput where it is not there: what an empty key has signed or sealed, anybody can.
    """
    key = (home.read("keys/secret.key") or "").strip().encode()
    if not key:
        fix = "Bring keys/secret.key of this park's home here, or restore it from a backup."
        raise BadInput("The park's own key is not there.", fix=fix, code="key_missing")
    return key
