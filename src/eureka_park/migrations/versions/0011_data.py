"""The store of data sets and models: blobs, packs, trees, repositories"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _make_store()
    _make_repositories()


def _make_store() -> None:
    """What is kept: blobs and packs, who holds them, where chunks lie."""
    op.create_table(
        "blobs",
        _col("sha256", sa.String(length=64)),
        _col("size_bytes", sa.BigInteger()),
        _col("object_key", sa.String(length=120), nullable=True),
        _col("n_refs", sa.Integer()),
        _col("idle_since_s", sa.Double(), nullable=True),
        _col("made_at_s", sa.Double()),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_index("blobs_idle", "blobs", ["idle_since_s"])
    op.create_table(
        "doomed_objects",
        _col("object_key", sa.String(length=120)),
        _col("doomed_at_s", sa.Double()),
        sa.PrimaryKeyConstraint("object_key"),
    )
    op.create_table(
        "holdings",
        _col("project_id", sa.String(length=80)),
        _col("kind", sa.String(length=8)),
        _col("content_hash", sa.String(length=64)),
        _col("size_bytes", sa.BigInteger()),
        sa.PrimaryKeyConstraint("project_id", "kind", "content_hash"),
    )
    op.create_index("holdings_of_content", "holdings", ["kind", "content_hash"])
    op.create_table(
        "known_chunks",
        _col("project_id", sa.String(length=80)),
        _col("chunk_hash", sa.String(length=64)),
        _col("pack_hash", sa.String(length=64)),
        sa.PrimaryKeyConstraint("project_id", "chunk_hash"),
    )
    op.create_index("known_chunks_of_pack", "known_chunks", ["pack_hash"])
    op.create_table(
        "packs",
        _col("pack_hash", sa.String(length=64)),
        _col("object_key", sa.String(length=120)),
        _col("size_bytes", sa.BigInteger()),
        _col("chunks", sa.LargeBinary()),
        _col("n_refs", sa.Integer()),
        _col("idle_since_s", sa.Double(), nullable=True),
        _col("made_at_s", sa.Double()),
        sa.PrimaryKeyConstraint("pack_hash"),
    )
    op.create_index("packs_idle", "packs", ["idle_since_s"])
    op.create_table(
        "recipe_parts",
        _col("sha256", sa.String(length=64)),
        _col("part_index", sa.Integer(), autoincrement=False),
        _col("start_bytes", sa.BigInteger()),
        _col("size_bytes", sa.BigInteger()),
        _col("pack_hash", sa.String(length=64)),
        _col("first_chunk", sa.Integer()),
        _col("end_chunk", sa.Integer()),
        sa.PrimaryKeyConstraint("sha256", "part_index"),
    )
    op.create_table(
        "storage_use",
        _col("project_id", sa.String(length=80)),
        _col("size_bytes", sa.BigInteger()),
        _col("limit_bytes", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id"),
    )


def _make_repositories() -> None:
    """Versions: trees, commits, names."""
    op.create_table(
        "commits",
        _col("repository_id", sa.String(length=40)),
        _col("commit_id", sa.String(length=40)),
        _col("parent_id", sa.String(length=40)),
        _col("root_id", sa.String(length=64)),
        _col("n_files", sa.BigInteger()),
        _col("size_bytes", sa.BigInteger()),
        _col("title", sa.Text()),
        _col("message", sa.Text()),
        _col("person_id", sa.String(length=80)),
        _col("made_at_s", sa.Double()),
        sa.PrimaryKeyConstraint("repository_id", "commit_id"),
    )
    op.create_table(
        "gate_requests",
        _col("repository_id", sa.String(length=40)),
        _col("person_id", sa.String(length=80)),
        _col("state", sa.String(length=16)),
        _col("asked_at_s", sa.Double()),
        _col("decided_at_s", sa.Double(), nullable=True),
        _col("decided_by", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("repository_id", "person_id"),
    )
    op.create_table(
        "refs",
        _col("repository_id", sa.String(length=40)),
        _col("kind", sa.String(length=8)),
        _col("name", sa.String(length=200)),
        _col("commit_id", sa.String(length=40)),
        _col("message", sa.Text()),
        _col("made_at_s", sa.Double()),
        sa.PrimaryKeyConstraint("repository_id", "kind", "name"),
    )
    op.create_table(
        "repositories",
        _col("repository_id", sa.String(length=40)),
        _col("kind", sa.String(length=16)),
        _col("project_id", sa.String(length=80)),
        _col("name", sa.String(length=96)),
        _col("visibility", sa.String(length=16)),
        _col("gate", sa.String(length=8)),
        _col("made_by", sa.String(length=80)),
        _col("made_at_s", sa.Double()),
        _col("changed_at_s", sa.Double()),
        _col("deleted_at_s", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("repository_id"),
    )
    op.create_index("repositories_changed", "repositories", ["kind", "changed_at_s"])
    op.create_index("repositories_deleted", "repositories", ["deleted_at_s"])
    op.create_index("repositories_of_project", "repositories", ["project_id", "kind", "name"])
    op.create_table(
        "repository_names",
        _col("kind", sa.String(length=16)),
        _col("project_id", sa.String(length=80)),
        _col("name_key", sa.String(length=96)),
        _col("repository_id", sa.String(length=40)),
        _col("is_former", sa.Integer()),
        sa.PrimaryKeyConstraint("kind", "project_id", "name_key"),
    )
    op.create_index("names_of_repository", "repository_names", ["repository_id"])
    op.create_table(
        "tree_nodes",
        _col("node_id", sa.String(length=64)),
        _col("content", sa.LargeBinary()),
        _col("n_refs", sa.Integer()),
        _col("idle_since_s", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("node_id"),
    )
    op.create_index("nodes_idle", "tree_nodes", ["idle_since_s"])


def _col(name: str, kind: Any, *, nullable: bool = False, **more: Any) -> "sa.Column[Any]":
    return sa.Column(name, kind, nullable=nullable, **more)
