"""What is to be seen of a networking session: on staff's card, at the tables, on the big screen."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import networking_guests
from storage.tables import Event, Member, Networking, NetworkingSeat, Session


@dataclass(frozen=True, slots=True)
class Seated:
    """Somebody at a table, as those who sit there know them."""

    member: Member
    themes: frozenset[int]
    table: int


@dataclass(frozen=True, slots=True)
class Scene:
    """A networking session with its agenda, and how many take part now."""

    networking: Networking
    session: Session
    event: Event
    guests: int


async def scene(db: AsyncSession, session_id: int) -> Scene | None:
    """What staff's card and the board tell. None: there is none."""
    return await _scene(db, Networking.session_id == session_id)


async def behind(db: AsyncSession, board: str) -> Scene | None:
    """The same, by the code of its board."""
    return await _scene(db, Networking.board == board)


async def _scene(db: AsyncSession, which: ColumnElement[bool]) -> Scene | None:
    row = await db.execute(
        select(Networking, Session, Event)
        .join(Session, Session.id == Networking.session_id)
        .join(Event, Event.id == Session.event_id)
        .where(which)
    )
    found = row.first()
    return Scene(*found, await networking_guests.count(db, found[0])) if found else None


async def tables(
    db: AsyncSession, rounds: Collection[tuple[int, int]]
) -> dict[tuple[int, int], list[Seated]]:
    """Who sits where, of these (session, round), by table."""
    sessions = {session for session, _ in rounds}
    rows = await db.execute(
        select(NetworkingSeat.session_id, NetworkingSeat.round, NetworkingSeat.table, Member)
        .join(Member, Member.id == NetworkingSeat.member_id)
        .where(
            NetworkingSeat.session_id.in_(sessions),
            NetworkingSeat.round.in_({number for _, number in rounds}),
        )
        .order_by(NetworkingSeat.table, Member.id)
    )
    found = rows.all()
    themes = await networking_guests.themes_of(db, [member.id for *_, member in found])
    seated: dict[tuple[int, int], list[Seated]] = defaultdict(list)
    for session_id, number, table, member in found:
        seated[session_id, number].append(Seated(member, themes[member.id], table))
    return seated
