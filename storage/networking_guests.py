"""The guests of a networking session: who takes part, is at their table, or has left."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from itertools import combinations

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage import presence
from storage.networking_tables import Guest, Pair
from storage.tables import (
    Course,
    Member,
    MemberTheme,
    Networking,
    NetworkingGuest,
    NetworkingSeat,
    Session,
)

# After so many rounds without a tap somebody has left.
SILENCE = 2
# While people may come and go.
OPEN = (Course.GATHERING, Course.RUNNING, Course.PAUSED)


async def of_session(db: AsyncSession, session_id: int, *, lock: bool = False) -> Networking | None:
    """The networking of a session, locked until the transaction ends if asked for."""
    query = select(Networking).where(Networking.session_id == session_id)
    return await db.scalar(
        query.with_for_update().execution_options(populate_existing=True) if lock else query
    )


async def find_who_left(db: AsyncSession, found: Networking, now: datetime) -> None:
    """Count the rounds in which guests tapped nothing, and let go of those who never do."""
    if found.drawn == 0:
        return
    last = (
        exists()
        .where(
            NetworkingSeat.session_id == found.session_id,
            NetworkingSeat.round == found.drawn,
            NetworkingSeat.member_id == NetworkingGuest.member_id,
            NetworkingSeat.here_at.is_(None),
        )
        .correlate(NetworkingGuest)
    )
    here_ = NetworkingGuest.session_id == found.session_id
    change = update(NetworkingGuest).execution_options(synchronize_session="fetch")
    await db.execute(change.where(here_, last).values(silent=NetworkingGuest.silent + 1))
    silent = (here_, NetworkingGuest.silent >= SILENCE, NetworkingGuest.left_at.is_(None))
    await db.execute(change.where(*silent).values(left_at=now))


async def join(db: AsyncSession, member: Member, session_id: int, now: datetime) -> str:
    """Take part: "joined", "again" after having left, "already"; "closed", or "absent" for whoever
    isn't in the session.
    """
    found = await of_session(db, session_id, lock=True)
    session = await db.get(Session, session_id)
    if found is None or session is None or found.course not in OPEN:
        return "closed"
    guest = await db.get(NetworkingGuest, (session_id, member.id))
    if guest is not None and guest.left_at is None:
        guest.silent = 0
        return "already"
    if guest is not None:
        guest.left_at, guest.silent = None, 0
        return "again"
    there = presence.was_there(session, door_kept=await presence.door_kept(db, session))
    if await db.scalar(select(Member.id).where(Member.id == member.id, there)) is None:
        return "absent"
    db.add(NetworkingGuest(session_id=session_id, member_id=member.id, joined_at=now, silent=0))
    await db.flush()
    return "joined"


async def leave(db: AsyncSession, member: Member, session_id: int, now: datetime) -> bool:
    """Take part no longer. False: they didn't."""
    await of_session(db, session_id, lock=True)
    guest = await db.get(NetworkingGuest, (session_id, member.id))
    if guest is None or guest.left_at is not None:
        return False
    guest.left_at = now
    return True


async def here(
    db: AsyncSession, member: Member, session_id: int, number: int, now: datetime
) -> bool:
    """Somebody is at their table in this round. False: they have none in it, or it is over."""
    found = await of_session(db, session_id, lock=True)
    seat = await db.get(NetworkingSeat, (session_id, number, member.id))
    if found is None or seat is None or found.course not in OPEN or number < found.round:
        return False
    await _is_here(db, seat, now)
    return True


async def nobody_came(
    db: AsyncSession, member: Member, session_id: int, number: int, now: datetime
) -> str:
    """Somebody sits alone: those of their table who said nothing have left, and they join the
    smallest other table ("moved"). "waited": the others said that they are there; "free": there is
    no other table; "over": this round is not on.
    """
    found = await of_session(db, session_id, lock=True)
    seat = await db.get(NetworkingSeat, (session_id, number, member.id))
    if found is None or seat is None or found.course not in OPEN or number != found.round:
        return "over"
    seats = await _seats(db, session_id, number)
    others = [one for one in seats if one.table == seat.table and one.member_id != member.id]
    if any(one.here_at is not None for one in others):
        return "waited"
    await _is_here(db, seat, now)
    for one in others:
        guest = await db.get(NetworkingGuest, (session_id, one.member_id))
        if guest is not None:
            guest.left_at = guest.left_at or now
        await db.delete(one)
    sizes = Counter(one.table for one in seats if one.table != seat.table)
    if sizes:
        seat.table = min(sizes, key=lambda table: (sizes[table], table))
    await db.flush()
    return "moved" if sizes else "free"


async def _is_here(db: AsyncSession, seat: NetworkingSeat, now: datetime) -> None:
    seat.here_at = seat.here_at or now
    guest = await db.get(NetworkingGuest, (seat.session_id, seat.member_id))
    if guest is not None:
        guest.silent, guest.left_at = 0, None


async def _seats(db: AsyncSession, session_id: int, number: int) -> Sequence[NetworkingSeat]:
    rows = await db.scalars(
        select(NetworkingSeat).where(
            NetworkingSeat.session_id == session_id, NetworkingSeat.round == number
        )
    )
    return rows.all()


def _present(found: Networking) -> ColumnElement[bool]:
    return (NetworkingGuest.session_id == found.session_id) & NetworkingGuest.left_at.is_(None)


async def count(db: AsyncSession, found: Networking) -> int:
    """How many take part now."""
    return await db.scalar(select(func.count()).where(_present(found))) or 0


async def present_guests(db: AsyncSession, found: Networking) -> Sequence[Guest]:
    """Those who take part now, as the drawing of tables needs them."""
    rows = await db.execute(
        select(Member.id, Member.side)
        .join(NetworkingGuest, NetworkingGuest.member_id == Member.id)
        .where(_present(found))
    )
    people = rows.all()
    themes = await themes_of(db, [member_id for member_id, _ in people])
    return [Guest(member_id, side, themes[member_id]) for member_id, side in people]


async def themes_of(db: AsyncSession, members: Sequence[int]) -> dict[int, frozenset[int]]:
    """The ids of the themes that interest each of these members."""
    themes: dict[int, set[int]] = defaultdict(set)
    follow = select(MemberTheme.member_id, MemberTheme.theme_id)
    for member_id, theme_id in await db.execute(follow.where(MemberTheme.member_id.in_(members))):
        themes[member_id].add(theme_id)
    return {member_id: frozenset(themes[member_id]) for member_id in members}


async def met_pairs(db: AsyncSession, session_id: int, before: int) -> dict[Pair, int]:
    """How often each pair has sat together in this session before this round."""
    rows = await db.execute(
        select(NetworkingSeat.round, NetworkingSeat.table, NetworkingSeat.member_id).where(
            NetworkingSeat.session_id == session_id, NetworkingSeat.round < before
        )
    )
    at: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number, table, member_id in rows:
        at[number, table].append(member_id)
    return Counter(
        frozenset(pair) for people in at.values() for pair in combinations(sorted(people), 2)
    )
