"""The words that a session is found by."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.folding import searchable

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "session", sa.Column("found_by", sa.Text(), nullable=False, server_default=sa.text("''"))
    )
    db = op.get_bind()
    about: dict[int, list[dict[str, str]]] = {}
    links = db.execute(
        sa.text(
            "SELECT l.session_id, t.name FROM session_theme l JOIN theme t ON t.id = l.theme_id "
            "ORDER BY t.id"
        )
    )
    for session_id, name in links:
        about.setdefault(session_id, []).append(_read(name))
    rows = db.execute(sa.text("SELECT id, title, speakers, room FROM session")).all()
    for id_, title, speakers, room in rows:
        words = searchable(_read(title), _read(speakers) or (), about.get(id_, ()), _read(room))
        db.execute(
            sa.text("UPDATE session SET found_by = :words WHERE id = :id"),
            {"words": words, "id": id_},
        )


def downgrade() -> None:
    op.drop_column("session", "found_by")


def _read(value: Any) -> Any:
    # One driver reads JSON by itself, the other gives its text.
    return json.loads(value) if isinstance(value, str) else value
