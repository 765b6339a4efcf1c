"""Passkeys (WebAuthn): a key on a person's device, unlocked there; it signs in alone, with no second step."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts.core.naming import clean_name
from eureka_park.accounts.core.permissions import Principal
from eureka_park.accounts.sign_in import store
from eureka_park.accounts.sign_in.ground import Browser, Entrance, Opened, not_offered
from eureka_park.foundation.errors import BadInput, NotFound, Unauthorised

if TYPE_CHECKING:
    from sqlalchemy import Connection

FLOW_S: Final = 300.0
PASSKEYS_MAX: Final = 20  # of one person
ID_CHARS_MAX: Final = 1400
_NAME: Final = "Eureka Park"


class Passkeys:
    """Passkeys of one park. `host` is the park's name as the browser knows it: each is good for one name alone."""

    def __init__(self, entrance: Entrance) -> None:
        self._in = entrance

    # -- signing in ----------------------------------------------------------------------------------------------------
    def options(self, host: str) -> tuple[str, dict[str, Any]]:
        """What begins a sign-in: a flow, and what the browser's authenticator is asked. No account is named."""
        import webauthn
        from webauthn.helpers.structs import UserVerificationRequirement

        entrance = self._in
        self._check(host)
        challenge = entrance.ground.entropy(32)
        asked = webauthn.generate_authentication_options(
            rp_id=host, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
        )
        with entrance.ground.db.write() as conn:
            flow = entrance.begin(conn, "passkey", {"challenge": challenge.hex(), "host": host}, FLOW_S)
        return flow, json.loads(webauthn.options_to_json(asked))

    def finish(self, flow: str, response: Mapping[str, Any], browser: Browser, next_path: str = "/") -> Opened:
        """Sign in by an authenticator's answer. Raises Unauthorised (`bad_flow`, `bad_passkey`)."""
        entrance, opened = self._in, None
        with entrance.ground.db.write() as conn:
            begun = entrance.take(conn, flow, "passkey")
        if begun is None:
            raise Unauthorised("This sign-in is over.", fix="Begin again.", code="bad_flow")
        with entrance.ground.db.read() as conn:
            row = store.passkey(conn, str(response.get("id", ""))[:ID_CHARS_MAX])
        count = None if row is None else self._verified(row, begun.payload, response, browser)
        with entrance.ground.db.write() as conn:
            if row is None or count is None or not entrance.may_enter(conn, row.person_id):
                entrance.refuse(conn, "passkey", str(response.get("id", "")))
            else:
                store.use_passkey(conn, row.credential_id, count, entrance.now_s)
                opened = entrance.open(conn, row.person_id, "passkey", browser, next_path)
        if opened is None:
            raise Unauthorised("This passkey is not known here.", fix="Use another way.", code="bad_passkey")
        return opened

    def _verified(
        self, row: Any, begun: Mapping[str, Any], response: Mapping[str, Any], browser: Browser
    ) -> int | None:
        """The authenticator's new count, if its answer is right."""
        import webauthn
        from webauthn.helpers.exceptions import WebAuthnException

        try:
            done = webauthn.verify_authentication_response(
                credential=dict(response), expected_challenge=bytes.fromhex(begun["challenge"]),
                expected_rp_id=begun["host"], expected_origin=browser.url, credential_public_key=bytes(row.public_key),
                credential_current_sign_count=row.sign_count, require_user_verification=True,
            )  # fmt: skip
        except (WebAuthnException, ValueError, TypeError, KeyError):
            return None
        return int(done.new_sign_count)

    # -- adding and taking away ----------------------------------------------------------------------------------------
    def add_options(self, who: Principal, host: str) -> tuple[str, dict[str, Any]]:
        """What begins a new passkey of a person."""
        import webauthn
        from webauthn.helpers.structs import (
            AuthenticatorSelectionCriteria,
            PublicKeyCredentialDescriptor,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        entrance = self._in
        self._check(host)
        person = entrance.people.person(who.person_id)
        challenge = entrance.ground.entropy(32)
        with entrance.ground.db.write() as conn:
            had = store.passkeys_of(conn, who.person_id)
            if len(had) >= PASSKEYS_MAX:
                raise BadInput("You have many passkeys already.", fix="Take one away first.", code="many_passkeys")
            payload = {"challenge": challenge.hex(), "host": host}
            flow = entrance.begin(conn, "passkey_add", payload, FLOW_S, who.person_id)
        asked = webauthn.generate_registration_options(
            rp_id=host, rp_name=_NAME, user_id=who.person_id.encode(), user_name=person.email or person.name,
            user_display_name=person.name, challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=_bytes(row.credential_id)) for row in had],
        )  # fmt: skip
        return flow, json.loads(webauthn.options_to_json(asked))

    def add(self, who: Principal, flow: str, response: Mapping[str, Any], label: str, browser: Browser) -> None:
        """Keep a person's new passkey. Raises Unauthorised (`bad_flow`, `bad_passkey`)."""
        import webauthn
        from webauthn.helpers.exceptions import WebAuthnException

        entrance, name = self._in, clean_name(label or "passkey", "label")
        with entrance.ground.db.write() as conn:
            begun = entrance.take(conn, flow, "passkey_add")
        if begun is None or begun.person_id != who.person_id:
            raise Unauthorised("This is over.", fix="Begin again.", code="bad_flow")
        try:
            done = webauthn.verify_registration_response(
                credential=dict(response), expected_challenge=bytes.fromhex(begun.payload["challenge"]),
                expected_rp_id=begun.payload["host"], expected_origin=browser.url, require_user_verification=True,
            )  # fmt: skip
        except (WebAuthnException, ValueError, TypeError, KeyError):
            raise Unauthorised("This passkey cannot be used.", fix="Try another.", code="bad_passkey") from None
        credential_id = base64.urlsafe_b64encode(done.credential_id).decode().rstrip("=")
        with entrance.ground.db.write() as conn:
            self._keep(conn, who, credential_id, done, name)

    def _keep(self, conn: Connection, who: Principal, credential_id: str, done: Any, name: str) -> None:
        entrance = self._in
        if len(credential_id) > ID_CHARS_MAX or store.passkey(conn, credential_id) is not None:
            raise Unauthorised("This passkey cannot be used.", fix="Try another.", code="bad_passkey")
        store.add_passkey(conn, {
            "credential_id": credential_id, "person_id": who.person_id, "public_key": done.credential_public_key,
            "sign_count": done.sign_count, "transports": "", "label": name, "created_at_s": entrance.now_s,
        })  # fmt: skip
        entrance.note(conn, "passkey.added", who.person_id)
        entrance.tell(conn, who.person_id, "way_added", way=f"passkey {name}")

    def drop(self, who: Principal, credential_id: str) -> None:
        """Take a passkey of one's own away. Raises NotFound."""
        with self._in.ground.db.write() as conn:
            if not store.drop_passkey(conn, who.person_id, credential_id[:ID_CHARS_MAX]):
                raise NotFound("You have no such passkey.", fix="See your page Security.", code="no_passkey")
            self._in.note(conn, "passkey.taken", who.person_id)
            self._in.tell(conn, who.person_id, "way_taken", way="passkey")

    def _check(self, host: str) -> None:
        if not self._in.settings().has_passkeys:
            raise not_offered("passkeys")
        if not host or ":" in host or host.replace(".", "").isdigit():
            raise BadInput(
                "Passkeys need a host name.", fix="Open the park as localhost, or by its name.", code="no_host_name"
            )


def _bytes(credential_id: str) -> bytes:
    return base64.urlsafe_b64decode(credential_id + "=" * (-len(credential_id) % 4))
