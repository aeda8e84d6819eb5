"""Uploads: agenda files that staff send to the chat, from their arrival to a yes or a no.

    sent --> read --> applied
              |-----> discarded, replaced by another, or too old

What is kept of a file is the agenda that was read from it, so that whatever happens in between, what
is applied is what was shown. It is compared anew at every step: `mark` tells whether the sender has
seen what a yes would do now.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage import outbox
from storage.agenda_copies import as_json
from storage.agendas import Agenda
from storage.tables import Lane, Member, Upload

KIND = "upload"
# How long a file waits for its sender's yes, and how long its row is kept at all.
VALID, KEPT = timedelta(hours=1), timedelta(days=2)


def receive(db: AsyncSession, member: Member, name: str, file: str, now: datetime) -> None:
    """Somebody sent a file, which the messenger knows by `file`. It is read soon."""
    db.add(Upload(member_id=member.id, name=name, file=file, at=now))


async def unread(db: AsyncSession, now: datetime) -> Sequence[Upload]:
    """The files that nobody has read yet, oldest first."""
    rows = await db.scalars(
        select(Upload)
        .where(Upload.read_at.is_(None), Upload.at > now - VALID)
        .order_by(Upload.id)
        .limit(10)
    )
    return rows.all()


async def keep_reading(
    db: AsyncSession,
    upload_id: int,
    now: datetime,
    *,
    agenda: Agenda | None = None,
    remarks: list[Any] | None = None,
    problems: list[Any] | None = None,
) -> bool:
    """Write down what was read, or why nothing could be, and ask for the letter that tells it.

    What the sender sent before is replaced. False: it was read already.
    """
    upload = await db.get(Upload, upload_id, with_for_update=True)
    if upload is None or upload.read_at is not None:
        return False
    upload.read_at = now
    upload.agenda = as_json(agenda) if agenda else None
    upload.remarks, upload.problems = remarks, problems
    if agenda:
        await db.execute(
            update(Upload)
            .where(
                Upload.member_id == upload.member_id,
                Upload.id < upload.id,
                Upload.settled_at.is_(None),
            )
            .values(settled_at=now)
            .execution_options(synchronize_session=False)
        )
    outbox.post(
        db,
        key=f"{KIND}:{upload.id}",
        member_id=upload.member_id,
        kind=KIND,
        about={"upload": upload.id},
        due=now,
        expires=upload.at + VALID,
        lane=Lane.PERSONAL,
    )
    await db.flush()
    return True


async def by_ids(db: AsyncSession, ids: Sequence[int]) -> dict[int, Upload]:
    """These uploads, by their ids."""
    rows = await db.scalars(select(Upload).where(Upload.id.in_(ids)))
    return {row.id: row for row in rows}


async def open_one(
    db: AsyncSession, member: Member, upload_id: int, now: datetime
) -> Upload | None:
    """The member's own upload, locked; None once it is settled or too old."""
    upload = await db.get(Upload, upload_id, with_for_update=True, populate_existing=True)
    if upload is None or upload.member_id != member.id or upload.agenda is None:
        return None
    return upload if upload.settled_at is None and upload.at > now - VALID else None


async def forget(db: AsyncSession, now: datetime) -> None:
    """Drop the files of the day before yesterday."""
    await db.execute(
        delete(Upload).where(Upload.at < now - KEPT).execution_options(synchronize_session=False)
    )
