"""The notice: which version of it a member was last asked about; what was agreed can't be rewritten.

Whoever registered until now was asked about the notice of November 2026.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_REFUSED = "consent is only appended to"


def upgrade() -> None:
    op.add_column("member", sa.Column("notice", sa.String(length=16), nullable=True))
    op.execute("UPDATE member SET notice = '2026-11' WHERE registered_at IS NOT NULL")
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER consent_is_history BEFORE UPDATE ON consent "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION consent_is_history() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSED}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER consent_is_history BEFORE UPDATE ON consent "
        "FOR EACH ROW EXECUTE FUNCTION consent_is_history()"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER consent_is_history")
    else:
        op.execute("DROP TRIGGER consent_is_history ON consent")
        op.execute("DROP FUNCTION consent_is_history()")
    op.drop_column("member", "notice")
