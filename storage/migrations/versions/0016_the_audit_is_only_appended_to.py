"""The audit refuses to be changed; since when somebody is of the team.

Rows of the audit are never updated, and deleted only up to the foot of the chain, which never goes
back. The database holds that by triggers; `storage/audit.py` is the only one to move the foot.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_BEGINNING = "0" * 64
# Each trigger's name, its table, its moment, and when it refuses.
_REFUSED = (
    ("audit_is_not_changed", "audit", "UPDATE", "TRUE"),
    (
        "audit_is_not_deleted",
        "audit",
        "DELETE",
        "OLD.id > COALESCE((SELECT foot_id FROM audit_chain WHERE id = 1), 0)",
    ),
    ("audit_foot_goes_forward", "audit_chain", "UPDATE", "NEW.foot_id < OLD.foot_id"),
    ("audit_chain_stays", "audit_chain", "DELETE", "TRUE"),
)


def upgrade() -> None:
    op.create_table(
        "audit_chain",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("foot_id", sa.Integer(), nullable=False),
        sa.Column("foot_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_chain")),
    )
    op.execute(
        "INSERT INTO audit_chain (id, head, foot_id, foot_hash) VALUES (1, COALESCE("  # noqa: S608  # ours
        f"(SELECT hash FROM audit ORDER BY id DESC LIMIT 1), '{_BEGINNING}'), 0, '{_BEGINNING}')"
    )
    if op.get_bind().dialect.name == "postgresql":
        _refuse_on_postgresql()
    else:
        for name, table, moment, when in _REFUSED:
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {moment} ON {table} WHEN {when} "
                "BEGIN SELECT RAISE(ABORT, 'the audit is only appended to'); END"
            )
    op.add_column("member", sa.Column("team_since", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE member SET team_since = (SELECT min(used_at) FROM invitation "
        "WHERE invitation.used_by = member.id) WHERE role <> 'member'"
    )


def _refuse_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION audit_refuses() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit is only appended to'; END $$"
    )
    # A trigger's condition can't ask another table there.
    op.execute(
        "CREATE FUNCTION audit_keeps() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF OLD.id > COALESCE((SELECT foot_id FROM audit_chain WHERE id = 1), 0) THEN "
        "RAISE EXCEPTION 'the audit is only appended to'; END IF; RETURN OLD; END $$"
    )
    for name, table, moment, when in _REFUSED:
        does = "audit_keeps" if "SELECT" in when else "audit_refuses"
        condition = "" if "SELECT" in when else f"WHEN ({when}) "
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {moment} ON {table} FOR EACH ROW "
            f"{condition}EXECUTE FUNCTION {does}()"
        )
    for table in ("audit", "audit_chain"):
        op.execute(
            f"CREATE TRIGGER {table}_is_not_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses()"
        )


def downgrade() -> None:
    op.drop_column("member", "team_since")
    postgresql = op.get_bind().dialect.name == "postgresql"
    for name, table, _moment, _when in _REFUSED:
        op.execute(f"DROP TRIGGER {name}{f' ON {table}' if postgresql else ''}")
    if postgresql:
        for table in ("audit", "audit_chain"):
            op.execute(f"DROP TRIGGER {table}_is_not_emptied ON {table}")
        op.execute("DROP FUNCTION audit_refuses()")
        op.execute("DROP FUNCTION audit_keeps()")
    op.drop_table("audit_chain")
