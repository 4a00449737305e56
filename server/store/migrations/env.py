"""What Alembic runs around the revisions: on the connection that server/store/upgrade.py hands over, in its transaction."""

from alembic import context

from server.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
