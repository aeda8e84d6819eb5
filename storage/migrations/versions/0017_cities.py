"""The cities of members, folded, so that an audience finds them however they are written."""

import sqlalchemy as sa
from alembic import op

from storage import cities

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# So many rows are written with one statement.
_SLICE = 10_000


def upgrade() -> None:
    op.add_column("member", sa.Column("city_folded", sa.String(length=80), nullable=True))
    db = op.get_bind()
    rows = db.execute(sa.text("SELECT id, city FROM member WHERE city IS NOT NULL")).all()
    found = [{"id": id_, "folded": cities.key(city)} for id_, city in rows]
    for start in range(0, len(found), _SLICE):
        db.execute(
            sa.text("UPDATE member SET city_folded = :folded WHERE id = :id"),
            found[start : start + _SLICE],
        )
    op.create_index("ix_member_city_folded", "member", ["city_folded"])


def downgrade() -> None:
    op.drop_index("ix_member_city_folded", "member")
    op.drop_column("member", "city_folded")
