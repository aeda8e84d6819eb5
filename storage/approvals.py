"""Four eyes: above a number of recipients a second member of the team approves an announcement.

Whoever reaches all of its audience may, and admins always; never its author, nor somebody whom an
edit has overtaken. `version` tells what an approver has read: it changes with every edit. Of two who
decide at once one does: the row is locked before it is judged.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import audiences, audit, outbox, team
from storage.audiences import Rule
from storage.tables import Address, Announcement, Lane, Member, Role, Stage

ASK, VERDICT = "approval", "approval_verdict"


class Decision(StrEnum):
    """What became of a decision."""

    DONE = "done"
    OWN = "own"
    # Somebody has decided already.
    LATE = "late"
    # It was edited or taken back since.
    CHANGED = "changed"
    # They are not, or no longer, of those who may.
    NOT_YOURS = "not yours"


def version(announcement: Announcement) -> str:
    """What stands there now, as a word that every edit changes: v and milliseconds since 1970, in
    hexadecimal. (No button of ours has a number beyond any row.)
    """
    return f"v{int(announcement.edited_at.timestamp() * 1000):x}"


async def approvers(db: AsyncSession, announcement: Announcement) -> Sequence[Member]:
    """Who may approve it: of the team, reachable, not its author, and reaching all it is for."""
    reachable = exists().where(Address.member_id == Member.id, Address.unreachable_at.is_(None))
    rows = await db.scalars(
        select(Member)
        .where(
            Member.role.in_((Role.STAFF, Role.ADMIN)),
            Member.registered_at.is_not(None),
            Member.id != announcement.author_id,
            reachable,
        )
        .order_by(Member.id)
    )
    author = await db.get(Member, announcement.author_id) if announcement.author_id else None
    mine = await team.area(db, author) if author else team.NOBODY
    known: dict[str, bool] = {}
    found = []
    for member in rows.all():
        theirs = await team.area(db, member)
        key = json.dumps(theirs, sort_keys=True)
        if key not in known:
            known[key] = not await _outside(db, announcement.rule or team.NOBODY, mine, theirs)
        if known[key]:
            found.append(member)
    return found


async def _outside(db: AsyncSession, rule: Rule, mine: Rule | None, theirs: Rule | None) -> bool:
    """Whether somebody is meant, within the author's area, whom this area leaves out."""
    if theirs is None or theirs == mine:
        return False
    # One rule of all of it, for it reads rules of many members best as one.
    meant = [dict(rule), {"not": dict(theirs)}, *([dict(mine)] if mine is not None else [])]
    beyond = audiences.condition({"all": meant}, of_all=True)
    return bool(await db.scalar(select(exists().where(beyond).select_from(Member))))


async def submit(
    db: AsyncSession, announcement: Announcement, people: int, *, above: int, now: datetime
) -> Sequence[Member]:
    """The author of a locked draft wants it to leave. Returns who is asked to approve it.

    To `above` people and fewer it is ready at once. To more, and with nobody to ask, it stays a
    draft.
    """
    announcement.shown, announcement.comment = people, None
    announcement.approver_id = announcement.approved_at = None
    asked: Sequence[Member] = ()
    if people <= above:
        announcement.stage = Stage.READY
    elif asked := await approvers(db, announcement):
        announcement.stage = Stage.AWAITING
        for member in asked:
            outbox.post(
                db,
                key=f"{ASK}:{announcement.id}:{member.id}:{int(now.timestamp() * 1000)}",
                member_id=member.id,
                kind=ASK,
                about={"announcement": announcement.id, "version": version(announcement)},
                due=now,
                lane=Lane.PERSONAL,
            )
    await db.flush()
    return asked


async def decide(
    db: AsyncSession,
    member: Member,
    announcement_id: int,
    seen: str,
    now: datetime,
    *,
    people: int | None = None,
    comment: str | None = None,
) -> Decision:
    """Approve it for so many `people`, or else send it back with a `comment`; its author hears."""
    found = await db.get(
        Announcement, announcement_id, with_for_update=True, populate_existing=True
    )
    if found is None:
        return Decision.CHANGED
    if (refusal := await _refusal(db, member, found, seen)) is not None:
        return refusal
    approved = people is not None
    found.approver_id, found.comment = member.id, comment
    found.stage = Stage.READY if approved else Stage.DRAFT
    if approved:
        found.approved_at, found.shown = now, people
    deed = "announcement.approved" if approved else "announcement.sent_back"
    await audit.record(db, member, deed, now, about={"announcement": found.id}, people=people)
    if found.author_id is not None:
        outbox.post(
            db,
            key=f"{VERDICT}:{found.id}:{int(now.timestamp() * 1000)}",
            member_id=found.author_id,
            kind=VERDICT,
            about={"announcement": found.id, "version": seen, "by": member.id, "yes": approved},
            due=now,
            lane=Lane.PERSONAL,
        )
    await db.flush()
    return Decision.DONE


async def _refusal(
    db: AsyncSession, member: Member, announcement: Announcement, seen: str
) -> Decision | None:
    if announcement.author_id == member.id:
        return Decision.OWN
    if version(announcement) != seen:
        return Decision.CHANGED
    if announcement.stage != Stage.AWAITING:
        decided = announcement.approver_id is not None
        return Decision.LATE if decided else Decision.CHANGED
    if member.id not in {one.id for one in await approvers(db, announcement)}:
        return Decision.NOT_YOURS
    return None
