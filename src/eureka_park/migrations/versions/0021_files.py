"""Project files: buckets, versions, uploads in parts, layouts, access keys"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _make_files()
    _make_uploads()
    _make_keys()


def _make_files() -> None:
    op.create_table(
        "file_buckets",
        _col("bucket_id", sa.String(length=40)),
        _col("name", sa.String(length=63)),
        _col("project_id", sa.String(length=80)),
        _col("versioning", sa.String(length=16)),
        _col("lifecycle", sa.Text()),
        _col("tags", sa.Text()),
        _col("last_rank", sa.BigInteger()),
        _col("n_versions", sa.BigInteger()),
        _col("size_bytes", sa.BigInteger()),
        _col("made_by", sa.String(length=80)),
        _col("made_at_s", sa.Double()),
        sa.PrimaryKeyConstraint("bucket_id"),
    )
    op.create_index("file_buckets_by_name", "file_buckets", ["name"], unique=True)
    op.create_index("file_buckets_of_project", "file_buckets", ["project_id", "name"])
    op.create_table(
        "file_versions",
        _col("bucket_id", sa.String(length=40)),
        _col("file_key", sa.LargeBinary()),
        _col("age_rank", sa.BigInteger(), autoincrement=False),
        _col("version_id", sa.String(length=40)),
        _col("state", sa.Integer()),
        _col("is_marker", sa.Integer()),
        _col("since_s", sa.Double()),
        _col("sha256", sa.String(length=64), nullable=True),
        _col("layout_id", sa.String(length=40), nullable=True),
        _col("size_bytes", sa.BigInteger()),
        _col("etag", sa.String(length=48)),
        _col("described", sa.Text()),
        _col("checksums", sa.Text()),
        _col("n_parts", sa.Integer()),
        _col("person_id", sa.String(length=80)),
        _col("made_at_s", sa.Double()),
        sa.PrimaryKeyConstraint("bucket_id", "file_key", "age_rank"),
    )
    op.create_index("file_versions_by_state", "file_versions", ["bucket_id", "state", "file_key"])
    op.create_index("file_versions_by_age", "file_versions", ["bucket_id", "state", "since_s"])


def _make_uploads() -> None:
    op.create_table(
        "file_uploads",
        _col("upload_id", sa.String(length=40)),
        _col("bucket_id", sa.String(length=40)),
        _col("file_key", sa.LargeBinary()),
        _col("described", sa.Text()),
        _col("checksums", sa.Text()),
        _col("person_id", sa.String(length=80)),
        _col("begun_at_s", sa.Double()),
        sa.PrimaryKeyConstraint("upload_id"),
    )
    op.create_index("file_uploads_by_key", "file_uploads", ["bucket_id", "file_key", "upload_id"])
    op.create_index("file_uploads_by_age", "file_uploads", ["bucket_id", "begun_at_s"])
    op.create_table(
        "file_parts",
        _col("upload_id", sa.String(length=40)),
        _col("part_number", sa.Integer(), autoincrement=False),
        _col("sha256", sa.String(length=64)),
        _col("size_bytes", sa.BigInteger()),
        _col("etag", sa.String(length=48)),
        _col("checksums", sa.Text()),
        _col("made_at_s", sa.Double()),
        sa.PrimaryKeyConstraint("upload_id", "part_number"),
    )
    op.create_table(
        "file_layouts",
        _col("layout_id", sa.String(length=40)),
        _col("n_refs", sa.Integer()),
        sa.PrimaryKeyConstraint("layout_id"),
    )
    op.create_table(
        "layout_parts",
        _col("layout_id", sa.String(length=40)),
        _col("part_number", sa.Integer(), autoincrement=False),
        _col("start_bytes", sa.BigInteger()),
        _col("size_bytes", sa.BigInteger()),
        _col("sha256", sa.String(length=64)),
        _col("etag", sa.String(length=48)),
        _col("checksums", sa.Text()),
        sa.PrimaryKeyConstraint("layout_id", "part_number"),
    )


def _make_keys() -> None:
    op.create_table(
        "access_keys",
        _col("access_key_id", sa.String(length=32)),
        _col("person_id", sa.String(length=80)),
        _col("project_id", sa.String(length=80)),
        _col("label", sa.String(length=200)),
        _col("scope", sa.String(length=16)),
        _col("sealed_secret", sa.String(length=200)),
        _col("made_at_s", sa.Double()),
        _col("expires_at_s", sa.Double()),
        _col("last_used_at_s", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("access_key_id"),
    )
    op.create_index("access_keys_of_person", "access_keys", ["person_id", "project_id"])
    op.create_index("access_keys_of_project", "access_keys", ["project_id"])


def _col(name: str, kind: Any, *, nullable: bool = False, **more: Any) -> Any:
    return sa.Column(name, kind, nullable=nullable, **more)


def downgrade() -> None:
    for table in (
        "access_keys", "layout_parts", "file_layouts", "file_parts", "file_uploads", "file_versions", "file_buckets",
    ):  # fmt: skip
        op.drop_table(table)
