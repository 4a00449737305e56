"""Environment in which Alembic runs the revisions.

They run on the connection of server/store/migrate.py, in its transaction.
"""

from alembic import context

from server.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
