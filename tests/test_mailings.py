"""Letters of an announcement: posted in the order of their moments, a few ahead, each once."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import func, select, update

from storage import mailings
from storage.database import open_storage
from storage.tables import Announcement, Fate, Member, Outbox, Recipient, Role, Stage

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def announced(db, minutes):
    """An announcement under way, with a recipient for each of these moments."""
    people = [Member(role=Role.MEMBER, created_at=NOON) for _ in minutes]
    made = Announcement(
        stage=Stage.SENDING, rule={}, quietly=True, created_at=NOON, edited_at=NOON, cursor=0
    )
    db.add_all([*people, made])
    await db.flush()
    db.add_all(
        Recipient(
            announcement_id=made.id,
            member_id=one.id,
            language="en",
            due=NOON + timedelta(minutes=later),
        )
        for one, later in zip(people, minutes, strict=True)
    )
    await db.flush()
    return made


@given(minutes=some.lists(some.integers(0, 4), max_size=30), ahead=some.integers(1, 8))
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_each_is_posted_once_in_the_order_of_their_moments(database_url, minutes, ahead):
    later = NOON + timedelta(hours=1)
    async with open_storage(database_url) as storage, storage.begin() as db:
        made = await announced(db, minutes)
        theirs = Recipient.announcement_id == made.id
        order = (Recipient.due, Recipient.id)
        wanted = (
            await db.scalars(select(Recipient.member_id).where(theirs).order_by(*order))
        ).all()
        before = await db.scalar(select(func.coalesce(func.max(Outbox.id), 0)))
        # One of them is still on its way, where more than one may wait.
        under_way, posted = min(1, ahead - 1), 0
        while number := await mailings.post(db, made, later, ahead):
            assert number <= ahead - (under_way if posted else 0)
            posted += number
            waiting = select(Recipient.id).where(theirs).order_by(*order).limit(posted - under_way)
            accepted = update(Recipient).where(Recipient.id.in_(waiting))
            await db.execute(
                accepted.values(outcome=Fate.SENT.value).execution_options(
                    synchronize_session=False
                )
            )
        letters = select(Outbox.member_id).where(Outbox.id > before).order_by(Outbox.id)
        assert (await db.scalars(letters)).all() == wanted
        assert posted == len(minutes)
        assert await mailings.left_open(db, made) == bool(under_way and minutes)
