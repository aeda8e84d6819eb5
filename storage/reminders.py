"""Reminders: whose session is near enough to be told.

A session has a moment for each lead (24 h, 1 h, 15 min before it starts). When that moment comes,
one statement posts the reminders of everybody who holds a seat and wants that lead: a wave. A
session that moves has new moments, hence new waves.

A lead that would ring in somebody's quiet hours has an earlier moment for them, the evening before
(`storage/quiet.py`): a wave of its own, for all whose rhythm puts it there. The wave at the lead
itself is for everybody all the same. Whoever was told the evening before has that reminder already;
whoever took their seat during the night, or was missed because nothing ran that evening, gets it
then. Of leads that fall together the nearest speaks for all.

Members who never chose their leads have those of the event, if staff set some.

The last letter of a wave is to leave by its moment, so a large wave begins earlier: by as many
seconds as its letters need at the pace (a tenth of which is left to replies), and earlier still if
another wave needs the same minutes - the latest beginning by which every wave can keep its promise,
reckoned from the last wave backwards. A wave that begins early is completed at its moment, for
those who took their seat in between.
"""

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    String,
    and_,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from storage import outbox, quiet
from storage.members import LEADS
from storage.moments import EARLIEST, Moment, evenings, moments, near
from storage.rsvps import SEATED
from storage.tables import (
    Event,
    Fate,
    Instant,
    Lane,
    Member,
    MemberLead,
    Outbox,
    Rsvp,
    Session,
    Wave,
)

KIND = "reminder"
# The part of the pace that waves reckon with: replies go first and take theirs.
SHARE = 0.9


async def post_due(db: AsyncSession, now: datetime, pace: float) -> int:
    """Post every wave that has to begin, or be completed, at `pace` letters a second.

    Harmless when called again, or by two at once. Returns how many letters were posted.
    """
    sessions = await near(db, now)
    if not sessions:
        return 0
    rhythms = tuple(await quiet.rhythms(db))
    begun = await _waves(db, found := moments(sessions, rhythms, now))
    open_ = [m for m in found if not begun.get(m.key)]
    ahead = [m for m in open_ if m.due > now and m.key not in begun]
    beginning = await _beginning(db, ahead, rhythms, now, pace) if ahead else []
    posted = 0
    for moment in [m for m in open_ if m.due <= now] + beginning:
        if await _claim(db, moment, now):
            posted += await _post(db, moment, rhythms, now)
    return posted


async def next_moment(db: AsyncSession, now: datetime) -> datetime | None:
    """When the next reminder will leave: one that waits already, or the next wave with a reader."""
    rows = await db.execute(
        select(Session, Event, Member.rhythm, MemberLead.minutes, Member.own_leads)
        .add_columns(func.min(Rsvp.since), func.max(Rsvp.since))
        .join(Event, Event.id == Session.event_id)
        .join(Rsvp, Rsvp.session_id == Session.id)
        .join(Member, Member.id == Rsvp.member_id)
        .outerjoin(MemberLead, MemberLead.member_id == Member.id)
        .where(Rsvp.state.in_(SEATED), Session.cancelled_at.is_(None), Session.starts_at > now)
        .group_by(Session.id, Event.id, Member.rhythm, MemberLead.minutes, Member.own_leads)
    )
    coming = []
    for session, event, rhythm, chosen, own, first, last in rows:
        wanted = [chosen] if own or event.leads is None else event.leads
        for minutes in wanted if wanted != [None] else ():
            due = session.starts_at - timedelta(minutes=minutes)
            evening = min(evenings((rhythm,), session, event, minutes), default=due)
            coming += [evening] if now < evening and first <= evening else []
            coming += [due] if now < due and first <= due and evening < last else []
    waiting = await outbox.next_due(db, Outbox.kind == KIND, Outbox.due > now)
    return min([*coming, *([waiting] if waiting else [])], default=None)


async def wanted_still(
    db: AsyncSession, asked: Collection[tuple[int, int, int]]
) -> dict[tuple[int, int, int], tuple[Session, Event]]:
    """Of (session, member, lead in minutes): those where the member still has a seat in a session
    that takes place, and still wants that reminder.
    """
    rows = await db.execute(
        select(Session, Event, Member.id, Member.own_leads, MemberLead.minutes)
        .join(Event, Event.id == Session.event_id)
        .join(Rsvp, Rsvp.session_id == Session.id)
        .join(Member, Member.id == Rsvp.member_id)
        .outerjoin(MemberLead, MemberLead.member_id == Member.id)
        .where(
            Session.id.in_({session_id for session_id, _, _ in asked}),
            Session.cancelled_at.is_(None),
            Rsvp.member_id.in_({member_id for _, member_id, _ in asked}),
            Rsvp.state.in_(SEATED),
        )
    )
    return {
        (session.id, member_id, minutes): (session, event)
        for session, event, member_id, own, chosen in rows
        for minutes in ([chosen] if own or event.leads is None else event.leads)
        if minutes is not None
    }


async def _waves(
    db: AsyncSession, these: Collection[Moment]
) -> dict[tuple[int, int, datetime], bool]:
    """The waves that have begun, and whether each is complete."""
    if not these:
        return {}
    waves = await db.execute(
        select(Wave.session_id, Wave.minutes, Wave.due, Wave.complete).where(
            Wave.session_id.in_({moment.session.id for moment in these})
        )
    )
    return {(session_id, minutes, due): complete for session_id, minutes, due, complete in waves}


async def _beginning(
    db: AsyncSession,
    ahead: Collection[Moment],
    rhythms: tuple[str, ...],
    now: datetime,
    pace: float,
) -> list[Moment]:
    """Of the moments ahead: those whose wave has to begin by now."""
    sizes = await _sizes(db, ahead)
    beginning, free_until, letter = [], now + EARLIEST, timedelta(seconds=1 / (pace * SHARE))
    for moment in sorted(ahead, key=lambda m: m.due, reverse=True):
        readers = moment.evening
        if readers is None:
            # Whoever is told the evening before needs no minutes of this wave.
            earlier = evenings(rhythms, moment.session, moment.event, moment.minutes)
            readers = frozenset(rhythms).difference(*earlier.values())
        if size := sum(sizes[moment.session.id, moment.minutes, rhythm] for rhythm in readers):
            # The last letter leaves when its wave's time ends, not a letter's time earlier.
            ends = min(moment.due, free_until)
            if ends - letter * (size - 1) <= now:
                beginning.append(moment)
            free_until = ends - letter * size
    return beginning[::-1]


async def _sizes(db: AsyncSession, ahead: Collection[Moment]) -> Counter[tuple[int, int, str]]:
    """How many hold a seat, by session, lead and rhythm."""
    rows = await db.execute(
        select(Rsvp.session_id, MemberLead.minutes, Member.rhythm, func.count())
        .join(Member, Member.id == Rsvp.member_id)
        .join(Session, Session.id == Rsvp.session_id)
        .join(Event, Event.id == Session.event_id)
        .join(MemberLead, MemberLead.member_id == Rsvp.member_id)
        .where(
            Rsvp.session_id.in_({m.session.id for m in ahead}),
            Rsvp.state.in_(SEATED),
            or_(Event.leads.is_(None), Member.own_leads),
        )
        .group_by(Rsvp.session_id, MemberLead.minutes, Member.rhythm)
    )
    sizes = Counter({(session, minutes, rhythm): size for session, minutes, rhythm, size in rows})
    leads = {m.session.id: m.event.leads for m in ahead if m.event.leads is not None}
    if leads:
        rows_of_events = await db.execute(
            select(Rsvp.session_id, Member.rhythm, func.count())
            .join(Member, Member.id == Rsvp.member_id)
            .where(Rsvp.session_id.in_(leads), Rsvp.state.in_(SEATED), ~Member.own_leads)
            .group_by(Rsvp.session_id, Member.rhythm)
        )
        for session_id, rhythm, size in rows_of_events:
            for minutes in leads[session_id]:
                sizes[session_id, minutes, rhythm] += size
    return sizes


async def _claim(db: AsyncSession, moment: Moment, now: datetime) -> bool:
    """Write down that this wave begins or is completed. False: somebody else did that."""
    session_id, minutes, due = moment.key
    dialect = postgresql if db.get_bind().dialect.name == "postgresql" else sqlite
    wave = dialect.insert(Wave).values(
        session_id=session_id, minutes=minutes, due=due, complete=due <= now
    )
    begun = wave.on_conflict_do_nothing(index_elements=["session_id", "minutes", "due"])
    if (await db.execute(begun.returning(Wave.session_id))).first() is not None:
        return True
    this = and_(Wave.session_id == session_id, Wave.minutes == minutes, Wave.due == due)
    completed = await db.execute(
        update(Wave)
        .where(this, ~Wave.complete, Wave.due <= now)
        .values(complete=True)
        .returning(Wave.session_id)
        .execution_options(synchronize_session=False)
    )
    return completed.first() is not None


async def _post(db: AsyncSession, moment: Moment, rhythms: tuple[str, ...], now: datetime) -> int:
    session, leads = moment.session, moment.event.leads
    starts = int(session.starts_at.timestamp())
    key = f"{KIND}:{session.id}:{moment.minutes}:{starts}:"
    readers = (
        select(
            (literal(key) + sql_cast(Rsvp.member_id, String)).label("key"),
            Rsvp.member_id,
            literal(KIND).label("kind"),
            literal(
                {"session": session.id, "minutes": moment.minutes, "starts": starts},
                Outbox.about.type,
            ).label("about"),
            literal(Lane.REMINDER).label("lane"),
            literal(min(moment.due, now), Instant()).label("due"),
            literal(session.starts_at, Instant()).label("expires"),
            literal(Fate.QUEUED, Outbox.state.type).label("state"),
            literal(0).label("attempts"),
            literal(0).label("doubts"),
        )
        .join(Member, Member.id == Rsvp.member_id)
        .where(
            Rsvp.session_id == session.id,
            Rsvp.state.in_(SEATED),
            _wants(moment.minutes, leads),
            # Whoever took the seat after this moment knows already.
            Rsvp.since <= moment.due,
            ~_overtaken(moment, rhythms, now),
        )
    )
    if moment.evening is not None:
        readers = readers.where(Member.rhythm.in_(moment.evening))
    columns = [column.name for column in readers.selected_columns]
    insert = outbox.insert_once(db).from_select(columns, readers)
    result = cast("CursorResult[Any]", await db.execute(insert))
    return result.rowcount


def _wants(minutes: int, leads: list[Any] | None) -> ColumnElement[bool]:
    """The member wants this lead, of an event whose own leads are these."""
    chosen = exists().where(MemberLead.member_id == Member.id, MemberLead.minutes == minutes)
    if leads is None:
        return chosen
    return or_(~Member.own_leads, chosen) if minutes in leads else and_(Member.own_leads, chosen)


def _overtaken(moment: Moment, rhythms: tuple[str, ...], now: datetime) -> ColumnElement[bool]:
    """A nearer lead speaks for this one: after a stop of some hours, or on the same evening."""
    session, at = moment.session, max(now, moment.due)
    speaking: list[ColumnElement[bool]] = []
    for minutes in LEADS:
        if minutes >= moment.minutes:
            continue
        wants = _wants(minutes, moment.event.leads)
        if session.starts_at - timedelta(minutes=minutes) <= now:
            speaking.append(wants)
            continue
        for evening, those in evenings(rhythms, session, moment.event, minutes).items():
            if evening <= at:
                told = and_(Rsvp.since <= evening, Member.rhythm.in_(those))
                speaking.append(and_(wants, told))
    return or_(false(), *speaking)
