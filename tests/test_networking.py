"""A networking session, from the team's first tap to the last round, and its board on the wall."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
from sqlalchemy import select, update

from bot.board import board
from bot.server import serving
from bot.settings import read_settings
from storage.tables import Audit, Role, Rsvp, Seat, Side
from tests.entrance import keeper
from tests.town import Resident, Town

# The meetings begin at 14:00 in Rabat.
BEGINS = datetime(2018, 7, 5, 13, 0, tzinfo=UTC)
TITLE = "Meetings between experts from France and Morocco"


async def the_foyer(town: Town, *names: str) -> tuple[Resident, list[Resident]]:
    """The team opens the networking; those named are checked in, on both sides by turns."""
    await town.programme()
    salma = await keeper(town)
    guests = []
    for place, called in enumerate(names):
        name, _, language = called.partition(":")
        side = list(Side)[place % 2]
        guest = await town.member(name, language or "en", side=side, leads=())
        await town.seat(guest, "networking")
        guests.append(guest)
    await town.is_now(BEGINS)
    async with town.app.storage.begin() as db:
        await db.execute(update(Rsvp).values(state=Seat.CHECKED_IN))
    for guest in guests:
        guest.heard()
    await salma.says("/events")
    await salma.taps("1st Thematic Workshop of Moroccan Experts…")
    await salma.taps("Sessions")
    await salma.taps("Thu, Jul 5")
    await salma.taps("14:00 Meetings between experts from France…")
    return salma, guests


@asynccontextmanager
async def the_wall(town: Town):
    """A way to read the board, as the page does."""
    routes = board(town.app.storage, town.app.catalogs, town.clock)
    settings = read_settings(host="127.0.0.1", port=0)
    async with serving(routes, settings) as port, aiohttp.ClientSession() as http:

        async def read(path: str):
            async with http.get(f"http://127.0.0.1:{port}/board/{path}") as answer:
                body = await answer.json() if answer.content_type.endswith("json") else None
                return answer.status, body

        town.app.links.pages = f"http://127.0.0.1:{port}"
        yield read


def card(*lines: str, buttons: str) -> str:
    """Staff's card."""
    return "\n".join([f"🤝 {TITLE}", *lines, *buttons.splitlines()])


ON = "[⏸ Pause] [+ 2 min]\n[− Round] [+ Round]\n[− Minute] [+ Minute]\n[🔄 Refresh] [End]\n[‹ Session]"


async def test_two_rounds_of_three_people_in_three_languages(town: Town):
    salma, (amal, bilal, chloe) = await the_foyer(town, "Amal Benali:en", "Bilal:ar", "Chloé:fr")
    gathering = "[▶️ Begin]\n[− Round] [+ Round]\n[− Minute] [+ Minute]\n[🔄 Refresh]\n[‹ Session]"
    invited = "Whoever is checked in has been invited, or is as soon as they come in."
    assert await salma.taps("🤝 Networking") == [
        card("Rounds: 5, of 8 min each", "0 people take part", invited, buttons=gathering)
    ]
    for _ in range(3):
        await salma.taps("− Round")
    assert await salma.taps("▶️ Begin") == [
        "(It takes two people at least: nobody else has joined yet.)"
    ]
    await town.is_now(BEGINS)
    assert amal.heard() == [
        f"🤝 Meet the people here\n{TITLE}\n\n"
        "Short rounds at tables: each time somebody else, and a reason to talk. Those at your "
        "table see your name, city and profession; the screen in the room shows your first name.\n"
        "[I take part]"
    ]
    assert bilal.heard() == [
        "🤝 تعرّفوا إلى الحاضرين\nلقاءات بين خبراء فرنسا والمغرب\n\n"
        "جولات قصيرة حول الطاولات: في كل مرة شخص آخر، وسبب للحديث. من يجلسون معكم يرون اسمكم "
        "ومدينتكم ومهنتكم، ويظهر اسمكم الأول على شاشة القاعة.\n[أشارك]"
    ]
    assert chloe.heard() == [
        "🤝 Rencontrez les personnes présentes\nRencontres entre experts de France et du Maroc\n\n"
        "Des tours courts, autour de tables : chaque fois une autre personne, et une raison de se "
        "parler. Les personnes de votre table voient votre nom, votre ville et votre profession ; "
        "l'écran de la salle montre votre prénom.\n[Je participe]"
    ]
    assert await amal.taps("I take part") == [
        "✅ You take part.\nIt begins in a moment: I tell you your table.\n[I'm leaving]"
    ]
    await bilal.taps("أشارك")
    await chloe.taps("Je participe")
    assert await salma.taps("▶️ Begin") == [
        card("▶️ Round 1 of 2, until 14:08", "3 people take part", buttons=ON)
    ]
    await town.is_now(BEGINS)
    assert amal.heard() == [
        "Round 1 of 2 · table 1\nIt begins at 14:00.\n\n"
        "👤 Bilal · Lyon\n"
        "One of you lives in Morocco, the other abroad: two views of one bridge.\n\n"
        "👤 Chloé · Lyon\nYou have not met here yet.\n"
        "[✅ I'm here]\n[Nobody came] [I'm leaving]"
    ]
    assert bilal.heard() == [
        "الجولة 1 من 2 · الطاولة 1\nتبدأ على الساعة 14:00.\n\n"
        "👤 Amal Benali · ليون\nأحدكما يقيم بالمغرب والآخر بالخارج: نظرتان إلى جسر واحد.\n\n"
        "👤 Chloé · ليون\nأحدكما يقيم بالمغرب والآخر بالخارج: نظرتان إلى جسر واحد.\n"
        "[✅ أنا هنا]\n[لم يأت أحد] [سأغادر]"
    ]
    assert chloe.heard() == [
        "Tour 1 sur 2 · table 1\nIl commence à 14:00.\n\n"
        "👤 Amal Benali · Lyon\nVous ne vous êtes pas encore rencontrés ici.\n\n"
        "👤 Bilal · Lyon\n"
        "L'un de vous vit au Maroc, l'autre à l'étranger : deux regards sur un même pont.\n"
        "[✅ J'y suis]\n[Personne n'est venu] [Je m'en vais]"
    ]
    assert await amal.taps("✅ I'm here") == ["(Good. Enjoy the conversation!)"]
    assert await bilal.taps("لم يأت أحد") == ["(انتظروا لحظة من فضلكم: أجاب أحدهم بأنه حاضر.)"]
    await bilal.taps("✅ أنا هنا")
    # Two minutes more, with the clock stopped meanwhile; then the next tables, told ahead.
    paused = ON.replace("⏸ Pause", "▶️ Go on")
    assert await salma.taps("⏸ Pause") == [
        card("⏸ Round 1 of 2, 8 min left", "3 people take part", buttons=paused)
    ]
    await town.is_now(BEGINS + timedelta(minutes=1))
    await salma.taps("+ 2 min")
    assert await salma.taps("▶️ Go on") == [
        card("▶️ Round 1 of 2, until 14:11", "3 people take part", buttons=ON)
    ]
    assert amal.heard() == []
    await town.is_now(BEGINS + timedelta(minutes=10, seconds=50))
    assert amal.heard() == [
        "Round 2 of 2 · table 1\nIt begins at 14:11.\n\n"
        "👤 Bilal · Lyon\nYou have met here before: go on from where you stopped.\n\n"
        "👤 Chloé · Lyon\nYou have met here before: go on from where you stopped.\n"
        "[✅ I'm here]\n[Nobody came] [I'm leaving]"
    ]
    assert await salma.taps("+ 2 min") == ["(The next tables are told already: pause instead.)"]
    chloe.heard()
    assert await chloe.taps("Je m'en vais") == [
        "Vous ne participez plus. Merci d'avoir été des nôtres !\n[Je participe]"
    ]
    assert await chloe.taps("Je participe") == [
        "✅ Vous participez.\n"
        "Le dernier tour est en cours : quelqu'un restera peut-être un peu plus longtemps.\n"
        "[Je m'en vais]"
    ]
    await town.is_now(BEGINS + timedelta(minutes=11))
    assert await salma.taps("End") == [
        "End the networking now, for everybody?\n[Yes, end it]\n[‹ Back]"
    ]
    await town.is_now(BEGINS + timedelta(minutes=19))
    assert await salma.taps("‹ Back") == [
        card("It is over.", "3 people take part", buttons="[‹ Session]")
    ]
    assert await amal.taps("✅ I'm here") == ["(This networking session is over.)"]
    async with town.app.storage.read() as db:
        acts = (await db.scalars(select(Audit.action).order_by(Audit.id))).all()
    assert [act for act in acts if act.startswith("networking")] == [
        "networking.start",
        "networking.pause",
        "networking.lengthen",
        "networking.resume",
    ]


async def test_the_silent_have_left_and_the_one_who_sits_alone_joins_others(town: Town):
    names = ("Amal", "Bilal", "Chloé", "Driss")
    salma, guests = await the_foyer(town, *names)
    await salma.taps("🤝 Networking")
    await town.is_now(BEGINS)
    for guest in guests:
        await guest.taps("I take part")
    await salma.taps("▶️ Begin")
    await town.is_now(BEGINS)
    first = {guest.person.name: guest.heard()[0] for guest in guests}
    amal = guests[0]
    mates = [name for name in names if f"👤 {name} " in first["Amal"]]
    other = next(name for name in names if name not in (*mates, "Amal"))
    # Amal's neighbour never came; they are let go, and she makes a trio of the other table.
    (card_,) = await amal.taps("Nobody came")
    assert card_.startswith("Please join another table:\n\nRound 1 of 5 · table ")
    assert card_.count("👤") == 2
    assert f"👤 {other} " in card_
    assert not any(f"👤 {name} " in card_ for name in mates)
    assert "3 people take part" in (await salma.taps("🔄 Refresh"))[0]
    # Whoever is let go and comes after all is in again from the next round on.
    late = next(guest for guest in guests if guest.person.name == mates[0])
    assert await late.taps("✅ I'm here") == [
        "✅ You take part.\nYour table comes with the next round.\n[I'm leaving]"
    ]
    # Two rounds in a row without a tap: nobody of them is expected any longer.
    for minute in (8, 16, 24):
        await town.is_now(BEGINS + timedelta(minutes=minute))
    assert "0 people take part" in (await salma.taps("🔄 Refresh"))[0]
    await amal.taps("✅ I'm here")
    assert "1 person takes part" in (await salma.taps("🔄 Refresh"))[0]


async def test_only_those_who_are_in_the_session_and_the_team(town: Town):
    salma, (amal,) = await the_foyer(town, "Amal")
    await salma.taps("🤝 Networking")
    await town.is_now(BEGINS)
    outsider = await town.member("Bilal", "en")
    await town.is_now(BEGINS)
    assert outsider.heard() == []
    (invitation,) = amal.person.chat.messages[-1:]
    data = invitation.keyboard[0][0].data or ""
    await outsider.says("/help")
    message = outsider.last
    assert await outsider.after(outsider.person.taps_data(data, message)) == [
        "(This is for those who are checked in at the door.)"
    ]
    async with town.app.storage.begin() as db:
        (await town.member_of(db, salma)).role = Role.MEMBER
    assert await salma.taps("▶️ Begin") == [
        "(This button is from an older message. /help shows the way.)"
    ]


async def test_the_board_turns_with_the_language_and_tells_no_last_name(town: Town):
    async with the_wall(town) as wall:
        salma, guests = await the_foyer(town, "Amal Benali", "Bilal")
        await salma.taps("🤝 Networking")
        button = next(b for row in salma.last.keyboard for b in row if b.url)
        assert button.text == "📺 Board for the big screen"
        code = button.url.split("/board/")[1].partition("?")[0]
        assert await wall("guessed/now") == (404, None)
        assert (await wall(code))[0] == 200
        _, told = await wall(f"{code}/now?lang=en")
        assert told == {
            "language": "en",
            "languages": {"fr": "Français", "ar": "العربية", "en": "English"},
            "title": TITLE,
            "where": "Foyer",
            "course": "We begin in a moment: take part in the chat with Jisr.",
            "guests": "0 people take part",
            "until": None,
            "left": None,
            "tables": [],
            "now": BEGINS.timestamp(),
        }
        await town.is_now(BEGINS)
        for guest in guests:
            await guest.taps("I take part")
        await salma.taps("▶️ Begin")
        _, told = await wall(f"{code}/now?lang=ar")
        assert (told["course"], told["guests"]) == ("الجولة 1 من 5", "شخصان يشاركان")
        assert told["until"] == (BEGINS + timedelta(minutes=8)).timestamp()
        assert told["tables"] == [
            {"name": "الطاولة 1", "people": ["\u2068Amal B.\u2069", "\u2068Bilal\u2069"]}
        ]
