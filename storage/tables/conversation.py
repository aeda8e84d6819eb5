"""Conversations: updates that were taken, and where a chat stands."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base


class Update(Base):
    """An update that was taken, and what was answered: the same update gets the same answer."""

    __tablename__ = "update"
    __table_args__ = (
        Index("ix_update_at", "at"),
        Index("ix_update_member_id", "member_id"),
    )

    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    update_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    answer: Mapped[list[Any]]
    # The update failed every time it was tried; `answer` is the apology.
    parked: Mapped[bool] = mapped_column(default=False)
    # To whom, so that the answer goes with them when they are forgotten: it may repeat their words.
    # (No foreign key: SQLite can't add one to an old table without making it anew.)
    member_id: Mapped[int | None]


class Conversation(Base):
    """Where a chat stands: the state of its wizard and the answers given so far."""

    __tablename__ = "conversation"

    key: Mapped[str] = mapped_column(String(96), primary_key=True)
    state: Mapped[str | None] = mapped_column(String(96))
    data: Mapped[dict[str, Any]]
