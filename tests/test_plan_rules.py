"""The rules of changes of plan: whatever is edited, everybody ends up knowing what is true, briefly."""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from storage import plans, tidings
from storage.database import Storage
from storage.plans import CALM, KIND, LONGEST, Plan
from storage.tables import Event, Fate, Member, Outbox, Rsvp, Seat, Session
from tests.town import EVE

ROOMS = [{"fr": room, "ar": room, "en": room} for room in ("A", "B")]
NOON = EVE + timedelta(days=2)
# What an edit may make of a session, and what follows it: some seconds, and whether letters leave.
EDITS: list[dict[str, Any]] = [
    {"starts_at": NOON, "ends_at": NOON + timedelta(hours=1)},
    {"starts_at": NOON + timedelta(hours=3), "ends_at": NOON + timedelta(hours=4)},
    {"room": ROOMS[0]},
    {"room": ROOMS[1]},
    {"online": True},
    {"online": False},
    {"cancelled_at": EVE},
    {"cancelled_at": None},
    {"title": {"fr": "Autre", "ar": "آخر", "en": "Other"}},
]
STEPS = st.lists(
    st.tuples(st.sampled_from(EDITS), st.sampled_from((0, 30, 61)), st.booleans()), max_size=12
)


class Reader:
    """A member with a seat, and the plan that they know."""

    def __init__(self, member: int, known: Plan) -> None:
        self.member, self.known, self.letters = member, known, 0

    async def reads(self, storage: Storage) -> None:
        """Let every letter that waits be written, and leave if it has something to say."""
        async with storage.begin() as db:
            waiting = await db.scalars(
                select(Outbox)
                .where(
                    Outbox.member_id == self.member,
                    Outbox.kind == KIND,
                    Outbox.state == Fate.QUEUED,
                )
                .order_by(Outbox.id)
            )
            rows = waiting.all()
            asked = [(row.about["change"], self.member) for row in rows]
            found = await tidings.unheard(db, asked)
            for row, key in zip(rows, asked, strict=True):
                row.state = Fate.VOID
                if key in found:
                    row.state = Fate.SENT
                    told = found[key]
                    assert told.before.same(self.known), "it begins where its reader left off"
                    assert not told.after.same(self.known), "it is news"
                    self.known = told.after
                    self.letters += 1


async def a_seat(storage: Storage) -> tuple[int, Reader]:
    """A session of its own, in which one member sits."""
    async with storage.begin() as db:
        event = await db.scalar(select(Event))
        if event is None:
            day = EVE.date()
            event = Event(slug="e", title=ROOMS[0], timezone="UTC", starts=day, ends=day)
            db.add(event)
            await db.flush()
        member = Member(created_at=EVE)
        session = Session(
            event_id=event.id,
            slug=f"s{id(member)}",
            kind="talk",
            title={"fr": "Un", "ar": "واحد", "en": "One"},
            online=False,
            room=ROOMS[0],
            starts_at=NOON,
            ends_at=NOON + timedelta(hours=1),
        )
        db.add_all((member, session))
        await db.flush()
        session.slug = f"s{session.id}"
        db.add(Rsvp(session_id=session.id, member_id=member.id, state=Seat.CONFIRMED, since=EVE))
        return session.id, Reader(member.id, Plan.of(session))


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
# Told, and overtaken before the letter left: by another change, and by a change of mind.
@example(steps=[(EDITS[1], 61, False), (EDITS[3], 61, True)])
@example(steps=[(EDITS[1], 61, False), (EDITS[0], 61, True)])
@example(steps=[(EDITS[1], 61, False), (EDITS[0], 30, True), (EDITS[3], 61, True)])
async def test_whatever_is_edited_the_reader_ends_up_knowing_the_plan(storage, steps):
    session_id, reader = await a_seat(storage)
    now = EVE
    for changes, seconds, delivered in steps:
        async with storage.begin() as db:
            session = await db.get(Session, session_id)
            before = Plan.of(session)
            for name, value in changes.items():
                setattr(session, name, value)
            await db.flush()
            await plans.revise(db, [(session, before)], now)
        now += timedelta(seconds=seconds)
        async with storage.begin() as db:
            await plans.tell(db, now)
        if delivered:
            await reader.reads(storage)
    async with storage.begin() as db:
        await plans.tell(db, now + max(CALM, LONGEST))
    await reader.reads(storage)
    async with storage.read() as db:
        truth = Plan.of(await db.get(Session, session_id))
        assert await db.scalar(select(Outbox).where(Outbox.state == Fate.QUEUED)) is None
    assert reader.known.same(truth)
    assert reader.letters <= len(steps)
