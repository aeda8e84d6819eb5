"""What is left of people who were forgotten: that their addresses were, as hashes."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base


class Erasure(Base):
    """An address whose person was forgotten, as a keyed hash, so that a restored backup can be
    made to forget them again. `storage/forgetting.py` makes and reads it.
    """

    __tablename__ = "erasure"
    __table_args__ = (Index("ix_erasure_wiped_at", "wiped_at"),)

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]
    # When the database's file was made anew without what had been there.
    wiped_at: Mapped[datetime | None]


class ErasureKey(Base):
    """The key of those hashes: one row, made by chance at the first erasure."""

    __tablename__ = "erasure_key"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[str] = mapped_column(String(64))
