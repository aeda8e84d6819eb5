"""Large waves: begun as early as the pace needs, and no earlier."""

from datetime import datetime, timedelta

from sqlalchemy import insert, select

from storage import reminders
from storage.tables import Address, Member, MemberLead, Outbox, Role, Rsvp, Seat
from tests.seats import START, before, member, posted, seat, session, ticks


async def crowd(storage, session_id: int, size: int, *leads: int) -> None:
    """So many people with seats."""
    async with storage.begin() as db:
        people = [{"created_at": START, "role": Role.MEMBER} for _ in range(size)]
        ids = (await db.scalars(insert(Member).returning(Member.id), people)).all()
        await db.execute(
            insert(Address),
            [{"member_id": i, "channel": "telegram", "address": f"crowd-{i}"} for i in ids],
        )
        await db.execute(
            insert(MemberLead), [{"member_id": i, "minutes": m} for i in ids for m in leads]
        )
        seats = {"session_id": session_id, "state": Seat.CONFIRMED, "since": before(START, days=9)}
        await db.execute(insert(Rsvp), [{"member_id": i, **seats} for i in ids])


async def leave_at_the_pace(storage, begin, end, pace) -> dict[tuple[int, int], datetime]:
    """Tick each second, and send at the pace; when the last letter of each wave has left."""
    sent, last, waiting = 0, {}, []
    moment, budget = begin, 0.0
    while moment <= end:
        await ticks(storage, moment, pace=pace)
        async with storage.read() as db:
            rows = await db.execute(
                select(Outbox.id, Outbox.about).where(Outbox.id > sent).order_by(Outbox.id)
            )
            for id_, about in rows:
                sent = id_
                waiting.append((about["session"], about["minutes"]))
        budget = min(budget + pace, pace) if waiting else 0.0
        while waiting and budget >= 1:
            last[waiting.pop(0)] = moment
            budget -= 1
        moment += timedelta(seconds=1)
    assert waiting == []
    return last


async def test_the_last_letter_of_a_large_wave_leaves_by_its_moment_and_the_first_not_too_early(
    storage,
):
    panel = await session(storage)
    await crowd(storage, panel, 900, 60)
    due = before(START, minutes=60)
    needed = timedelta(seconds=899 / (10 * reminders.SHARE))
    assert await ticks(storage, due - needed - timedelta(seconds=1), pace=10) == [0]
    last = await leave_at_the_pace(storage, due - needed, due + timedelta(minutes=1), 10)
    assert list(last) == [(panel, 60)]
    assert due - needed / 5 < last[panel, 60] <= due


async def test_waves_that_need_the_same_minutes_make_room_for_each_other(storage):
    together = [await session(storage) for _ in range(3)]
    close = await session(storage, START + timedelta(seconds=20))
    for one in (*together, close):
        await crowd(storage, one, 300, 60)
    due = before(START, minutes=60)
    begin = due - timedelta(minutes=5)
    last = await leave_at_the_pace(storage, begin, due + timedelta(minutes=2), 10)
    assert all(last[one, 60] <= due for one in together)
    assert last[close, 60] <= due + timedelta(seconds=20)


async def test_a_seat_taken_while_a_large_wave_is_under_way_is_told_too(storage):
    panel = await session(storage)
    await crowd(storage, panel, 300, 60)
    due = before(START, minutes=60)
    assert await ticks(storage, due - timedelta(seconds=30), pace=10) == [300]
    late = await member(storage, 60)
    await seat(storage, panel, late, due - timedelta(seconds=10))
    assert await ticks(storage, due - timedelta(seconds=5), due, due, pace=10) == [0, 1, 0]
    assert (await posted(storage))[-1] == (late, 60, START)
