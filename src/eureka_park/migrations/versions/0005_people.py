"""Organisations, groups and roles in place of members and a mark for operators; tokens with scopes, sessions that renew
their secrets; ways to sign in
"""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _places()
    _roles()
    _people()
    _tokens()
    _sessions()
    _sign_in()


def _places() -> None:
    op.create_table(
        "organisations",
        sa.Column("organisation_id", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("billing", sa.Text(), nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id"),
    )
    with op.batch_alter_table("projects") as batch:
        batch.add_column(sa.Column("organisation_id", sa.String(length=63), nullable=True))
        batch.add_column(sa.Column("created_by", sa.String(length=64), nullable=False, server_default=""))
        batch.add_column(sa.Column("closed_at_s", sa.Double(), nullable=True))
        batch.create_foreign_key("projects_of_organisation", "organisations", ["organisation_id"], ["organisation_id"])
    op.create_table(
        "people_groups",
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("organisation_id", sa.String(length=63), nullable=True),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.organisation_id"]),
        sa.PrimaryKeyConstraint("group_id"),
    )
    op.create_table(
        "group_people",
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("joined_at_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["people_groups.group_id"]),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"]),
        sa.PrimaryKeyConstraint("group_id", "person_id"),
    )
    op.create_index("ix_group_people_person_id", "group_people", ["person_id"])


def _roles() -> None:
    op.create_table(
        "roles",
        sa.Column("holder_id", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("since_s", sa.Double(), nullable=False),
        sa.Column("given_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("holder_id", "role", "scope"),
    )
    op.create_index("roles_by_scope", "roles", ["scope", "role"])
    op.execute(
        "INSERT INTO roles (holder_id, role, scope, since_s, given_by) "
        "SELECT person_id, 'member', 'project:' || project_id, joined_at_s, '' FROM members"
    )
    conn = op.get_bind()
    people = sa.table("people", sa.column("person_id"), sa.column("is_operator", sa.Boolean), sa.column("created_at_s"))
    found = conn.execute(sa.select(people.c.person_id, people.c.created_at_s).where(people.c.is_operator)).all()
    statement = (
        "INSERT INTO roles (holder_id, role, scope, since_s, given_by) VALUES (:id, 'operator', 'park', :at, '')"
    )
    for person_id, at_s in found:
        conn.execute(sa.text(statement), {"id": person_id, "at": at_s})
    op.drop_table("members")


def _people() -> None:
    with op.batch_alter_table("people") as batch:
        batch.add_column(sa.Column("kind", sa.String(length=8), nullable=False, server_default="person"))
        batch.add_column(sa.Column("email", sa.String(length=254), nullable=True))
        batch.add_column(sa.Column("email_key", sa.String(length=254), nullable=True))
        batch.add_column(sa.Column("email_verified_at_s", sa.Double(), nullable=True))
        batch.add_column(sa.Column("is_verified", sa.Boolean(), nullable=False, server_default=sa.true()))
        batch.add_column(sa.Column("language", sa.String(length=8), nullable=False, server_default=""))
        batch.add_column(sa.Column("responsible_id", sa.String(length=64), nullable=True))
        batch.add_column(sa.Column("disabled_at_s", sa.Double(), nullable=True))
        batch.add_column(sa.Column("erased_at_s", sa.Double(), nullable=True))
        batch.add_column(sa.Column("screened", sa.String(length=8), nullable=False, server_default=""))
        batch.add_column(sa.Column("screened_at_s", sa.Double(), nullable=True))
        batch.drop_column("is_operator")
    op.create_index("people_by_email", "people", ["email_key"], unique=True)
    op.create_table(
        "consents",
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("given_at_s", sa.Double(), nullable=False),
        sa.Column("withdrawn_at_s", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"]),
        sa.PrimaryKeyConstraint("person_id", "kind", "version"),
    )


def _tokens() -> None:
    """Tokens of before stay good for all that their person may."""
    for column in (
        sa.Column("token_id", sa.String(length=64), nullable=True),
        sa.Column("scopes", sa.String(length=200), nullable=True),
        sa.Column("project_id", sa.String(length=63), nullable=True),
        sa.Column("expires_at_s", sa.Double(), nullable=True),
        sa.Column("last_used_at_s", sa.Double(), nullable=True),
    ):
        op.add_column("tokens", column)
    conn = op.get_bind()
    for (sha,) in conn.execute(sa.text("SELECT token_sha256 FROM tokens")).all():
        conn.execute(
            sa.text("UPDATE tokens SET token_id = :id WHERE token_sha256 = :sha"), {"id": _id("token", sha), "sha": sha}
        )
    with op.batch_alter_table("tokens") as batch:
        batch.alter_column("token_id", existing_type=sa.String(length=64), nullable=False)
    op.create_index("tokens_by_id", "tokens", ["token_id"], unique=True)


def _id(prefix: str, sha: str) -> str:
    return f"{prefix}-{hashlib.sha256(sha.encode()).hexdigest()[:16]}"


def _sessions() -> None:
    """Whoever is signed in stays so."""
    conn = op.get_bind()
    query = "SELECT session_sha256, person_id, created_at_s, expires_at_s FROM sessions"
    rows = [
        {
            "session_id": _id("session", sha), "secret_sha256": sha, "person_id": person_id, "method": "link",
            "client": "", "address": "", "created_at_s": created, "seen_at_s": created, "expires_at_s": expires,
        }
        for sha, person_id, created, expires in conn.execute(sa.text(query)).all()
    ]  # fmt: skip
    op.drop_table("sessions")
    made = op.create_table(
        "sessions",
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("next_sha256", sa.String(length=64), nullable=True),
        sa.Column("previous_sha256", sa.String(length=64), nullable=True),
        sa.Column("previous_until_s", sa.Double(), nullable=True),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("client", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.Column("seen_at_s", sa.Double(), nullable=False),
        sa.Column("expires_at_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"]),
        sa.PrimaryKeyConstraint("session_id"),
    )
    op.create_index("ix_sessions_person_id", "sessions", ["person_id"])
    op.create_index("sessions_by_secret", "sessions", ["secret_sha256"], unique=True)
    op.create_index("sessions_by_next", "sessions", ["next_sha256"], unique=True)
    op.create_index("sessions_by_previous", "sessions", ["previous_sha256"])
    op.bulk_insert(made, rows)


def _sign_in() -> None:
    op.create_table(
        "passwords",
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("phc", sa.String(length=500), nullable=False),
        sa.Column("changed_at_s", sa.Double(), nullable=False),
        sa.Column("n_wrong", sa.Integer(), nullable=False),
        sa.Column("locked_until_s", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"]),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_table(
        "totp",
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("confirmed_at_s", sa.Double(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"]),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("code_sha256", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("used_at_s", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"]),
        sa.PrimaryKeyConstraint("code_sha256"),
    )
    _passkeys()
    _flows()
    for table in ("recovery_codes", "passkeys", "identities", "flows", "devices"):
        op.create_index(f"ix_{table}_person_id", table, ["person_id"])
    op.create_index("devices_by_user_code", "devices", ["user_code_sha256"], unique=True)


def _passkeys() -> None:
    op.create_table(
        "passkeys",
        sa.Column("credential_id", sa.String(length=1400), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("transports", sa.String(length=200), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.Column("last_used_at_s", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"]),
        sa.PrimaryKeyConstraint("credential_id"),
    )
    op.create_table(
        "identities",
        sa.Column("provider", sa.String(length=63), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("groups_seen", sa.Text(), nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.Column("last_seen_at_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"]),
        sa.PrimaryKeyConstraint("provider", "subject"),
    )


def _flows() -> None:
    op.create_table(
        "flows",
        sa.Column("flow_sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("expires_at_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"]),
        sa.PrimaryKeyConstraint("flow_sha256"),
    )
    op.create_table(
        "devices",
        sa.Column("device_sha256", sa.String(length=64), nullable=False),
        sa.Column("user_code_sha256", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=True),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("scopes", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("expires_at_s", sa.Double(), nullable=False),
        sa.Column("polled_at_s", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"]),
        sa.PrimaryKeyConstraint("device_sha256"),
    )
