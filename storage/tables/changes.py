"""The programme as it changes: waves of reminders, changes of plan, edits, uploads."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base


class Wave(Base):
    """The reminders of one session at one lead. A session that moves makes new waves.

    `due` is when they are promised; a large wave begins earlier, and is `complete` after that.
    """

    __tablename__ = "wave"

    session_id: Mapped[int] = mapped_column(
        ForeignKey("session.id", ondelete="CASCADE"), primary_key=True
    )
    minutes: Mapped[int] = mapped_column(primary_key=True)
    due: Mapped[datetime] = mapped_column(primary_key=True)
    complete: Mapped[bool]


class PlanChange(Base):
    """A session is to be held otherwise than its people were told. `told_at` is empty until then.

    `before` and `after` are plans as `storage/plans.py` writes them: as last told, and as told now.
    """

    __tablename__ = "plan_change"
    __table_args__ = (
        Index("ix_plan_change_session_id", "session_id"),
        Index("ix_plan_change_told_at", "told_at", "due"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"))
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any] | None]
    began_at: Mapped[datetime]
    edited_at: Mapped[datetime]
    # When it is told, unless the session is edited again.
    due: Mapped[datetime]
    told_at: Mapped[datetime | None]


class Edit(Base):
    """What a member of the team changed by hand, so that they can take it back.

    `before` and `after` hold the fields concerned; no `before`: it was created, no `after`: deleted.
    The ids are no foreign keys: they outlive what was deleted.
    """

    __tablename__ = "edit"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    event_id: Mapped[int]
    session_id: Mapped[int | None]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class Upload(Base):
    """An agenda file that somebody of the team sent; `storage/uploads.py` tells its life."""

    __tablename__ = "upload"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    # What the messenger calls it.
    file: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]
    read_at: Mapped[datetime | None] = mapped_column(index=True)
    # The agenda that was read, and the remarks about it; or else what is wrong with the file.
    agenda: Mapped[dict[str, Any] | None]
    remarks: Mapped[list[Any] | None]
    problems: Mapped[list[Any] | None]
    # The mark of the changes that its sender was shown.
    shown: Mapped[str | None] = mapped_column(String(64))
    settled_at: Mapped[datetime | None]
