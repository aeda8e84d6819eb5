"""The audit: what the team did. Appended to, never changed; `storage/audit.py` chains the rows."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base


class Audit(Base):
    """Somebody of the team did something. No words of people: ids and numbers alone.

    The ids are no foreign keys: they outlive those they name, and say nothing without them. The
    database itself refuses to change a row, and to delete one that the chain's foot has not passed.
    """

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_at", "at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    # Who did it; empty: the operator, at the command line.
    actor_id: Mapped[int | None]
    action: Mapped[str] = mapped_column(String(48))
    about: Mapped[dict[str, Any]]
    # How many people it concerned, and which, where that is known one by one.
    people: Mapped[int | None]
    touched: Mapped[list[Any] | None]
    # The hash of the row before this one, and of this one with it.
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditChain(Base):
    """Where the audit's chain begins and ends: a single row, made by its migration.

    `foot_*` are of the last row that was old enough to be dropped, `head` is the newest row's hash.
    """

    __tablename__ = "audit_chain"

    id: Mapped[int] = mapped_column(primary_key=True)
    head: Mapped[str] = mapped_column(String(64))
    foot_id: Mapped[int]
    foot_hash: Mapped[str] = mapped_column(String(64))
