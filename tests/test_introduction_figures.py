"""What introductions brought, in numbers and never in names."""

from datetime import timedelta

from handlers import introduction_figures as told
from storage import introduction_figures, meeting_profiles
from storage.tables import (
    Direction,
    Introduction,
    IntroductionSide,
    Occasion,
    Progress,
    Side,
    Theme,
    Topic,
)
from tests.entrance import keeper
from tests.town import Town


async def a_year(town: Town) -> None:
    """Five members, four introductions: all but one about energy, one of them held and liked."""
    now = town.clock.now()
    people = []
    for name, side in zip("ABCDE", [*Side, *Side, Side.MOROCCO], strict=True):
        people.append(await town.member(f"Name{name}", "en", side=side))
    async with town.app.storage.begin() as db:
        energy = Theme(slug="energy", name={"fr": "Énergie", "ar": "الطاقة", "en": "Energy"})
        db.add(energy)
        await db.flush()
        members = [await town.member_of(db, one) for one in people]
        for member, wish in zip(
            members, ["offers", "seeks", "seeks", "seeks", "seeks"], strict=True
        ):
            await meeting_profiles.begin(db, member, now)
            wishes = await meeting_profiles.wishes_of(db, member)
            assert wishes is not None
            await meeting_profiles.toggle_topic(db, wishes, Direction(wish), Topic.INVESTMENT, now)
        for place, (one, other, progress, met, stars) in enumerate(
            [
                (0, 1, Progress.AGREED, True, 5),
                (2, 3, Progress.AGREED, False, None),
                (0, 2, Progress.LAPSED, None, None),
                (1, 4, Progress.PROPOSED, None, None),
            ]
        ):
            introduction = Introduction(
                occasion=Occasion.WEEKLY,
                progress=progress,
                affinity=1,
                reasons=[{"kind": "theme", "theme": energy.id}] if place else [],
                made_at=now,
                proposed_at=now - timedelta(days=place),
            )
            db.add(introduction)
            await db.flush()
            for at, who in enumerate((one, other)):
                side = IntroductionSide(
                    introduction_id=introduction.id, member_id=members[who].id, place=at
                )
                side.met, side.stars = met, stars
                db.add(side)


async def test_the_year_in_numbers(town: Town):
    await a_year(town)
    async with town.app.storage.read() as db:
        figures = await introduction_figures.of_all(db, town.clock.now())
        later = await introduction_figures.of_all(db, town.clock.now() + timedelta(days=400))
        letter = told.text(town.app.catalogs["en"], figures, await told._themes(db))
        nothing = told.text(town.app.catalogs["fr"], later, {})
    assert letter.text == (
        "<b>What introductions brought</b>\n5 members take part at the moment.\n\n"
        "In the last twelve months: proposed 4, both yes 2, met 1, ⭐ 5\n"
        "From shore to shore: proposed 2, both yes 2, met 1, ⭐ 5\n"
        "On the same shore: proposed 2, both yes 0, met 0\n\n"
        "<b>By theme</b>\n• \u2068Energy\u2069: proposed 3, both yes 1, met 0\n\n"
        "<b>Sought in vain</b>\n• \u2068An investor\u2069: 4 seek it, 1 offer it"
    )
    assert "Name" not in letter.text
    assert "Aucune mise en relation n'a encore été proposée." in nothing.text


async def test_a_picture_and_a_spreadsheet_for_the_team(town: Town):
    await a_year(town)
    salma = await keeper(town, language="ar")
    data = [told.Brought(form=form).pack() for form in ("picture", "sheet")]
    await salma.says("/help")
    for one in data:
        await salma.after(salma.person.taps_data(one, salma.last))
    await town.is_now(town.clock.now())
    salma.heard()
    # Whichever was made first.
    sheet, picture = sorted(salma.person.chat.messages[-2:], key=lambda one: bool(one.photo))
    assert picture.photo
    assert sheet.document.name == "introductions.xlsx"
    amal = await town.member("Amal", "en")
    await amal.says("/help")
    assert await amal.after(amal.person.taps_data(data[0], amal.last)) == [
        "(This button is from an older message. /help shows the way.)"
    ]
