"""Run by alembic; the connection is the one that `storage.migrations` holds."""

from typing import Literal

from alembic import context

from storage.tables import Base, Instant


def _render(kind: str, column_type: object, _context: object) -> str | Literal[False]:
    # A revision tells the past: it must not lean on a class that may change.
    if kind == "type" and isinstance(column_type, Instant):
        return "sa.DateTime(timezone=True)"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
    render_item=_render,
)
with context.begin_transaction():
    context.run_migrations()
