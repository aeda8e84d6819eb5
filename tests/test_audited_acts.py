"""Whatever the team does is written down, with whom it concerned, and no word that people wrote."""

from sqlalchemy import select

from storage import audit
from storage.tables import Audit
from tests.entrance import keeper, scans, ticket_of
from tests.town import Town


async def test_what_staff_do_with_a_programme_is_written_down(town: Town):
    await town.programme()
    sofia, amal = await keeper(town, "Sofia"), await town.member("Amal", "en")
    await town.seat(amal, "panel-1")
    panel = await town.session("panel-1")
    await sofia.says("/events")
    await sofia.after(sofia.person.taps_data(f"evses:{panel.id}"))
    await sofia.taps("Cancel the session")
    await sofia.taps("↩️ Undo")
    await sofia.after(sofia.person.taps_data(f"evses:{panel.id}"))
    await sofia.taps("✎ Seats")
    await sofia.says("20")
    await sofia.says("/events")
    await sofia.taps("＋ New event")
    for answer in ("Salon secret de Fatima", "x", "x", "Lyon", "Paris", "12/12", "12/12"):
        await sofia.says(answer)
    assert await acts(town) == [
        ("session.cancelled", 1, None),
        ("edit.undone", None, None),
        ("session.edited", 1, None),
        ("event.created", None, None),
    ]
    async with town.app.storage.read() as db:
        rows = (await db.scalars(select(Audit))).all()
        assert (await audit.verify(db)).breaks == ()
        by = (await town.member_of(db, sofia)).id
    assert {row.actor_id for row in rows} == {by}
    assert "Fatima" not in str([(row.about, row.action) for row in rows])


async def test_what_staff_do_at_a_door_is_written_down(town: Town):
    await town.programme()
    salma, amal = await keeper(town), await town.member("Amal", "en")
    await town.seat(amal, "opening")
    ticket = await ticket_of(town, amal, "opening")
    opening = await town.session("opening")
    town.clock.jump(opening.starts_at)
    await salma.says("/door")
    door = f"door:{opening.event_id}:{opening.id}:0"
    await salma.after(salma.person.taps_data(door))
    await scans(salma, ticket)
    await salma.taps("↩️ Undo")
    await salma.after(salma.person.taps_data(door))
    for label in ("➕ Walk-in", "➖ Walk-in", "📊 Chart"):
        await salma.taps(label)
    async with town.app.storage.read() as db:
        hers = (await town.member_of(db, amal)).id
    assert await acts(town) == [
        ("door.opened", 1, [hers]),
        ("ticket.used", 1, [hers]),
        ("ticket.undone", 1, [hers]),
        ("door.opened", 1, [hers]),
        ("door.walked_in", 1, None),
        ("door.walk_in_undone", 1, None),
        ("figures.drawn", None, None),
    ]


async def acts(town: Town) -> list[tuple[str, int | None, list[int] | None]]:
    async with town.app.storage.read() as db:
        rows = await db.scalars(select(Audit).order_by(Audit.id))
        return [(row.action, row.people, row.touched) for row in rows]
