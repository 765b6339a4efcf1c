"""Alembic's environment: runs inside the connection that `migrate` hands over."""

from alembic import context

from eureka_park.migrations import all_metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=all_metadata(),
    render_as_batch=True,
    transactional_ddl=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
