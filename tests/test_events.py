"""The agenda: day by day, in the reader's language, truthful about seats."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from storage.tables import Session
from tests.town import Town

DAY_ONE_FR = (
    "1er Atelier thématique des experts marocains en France\n"
    "Innovations et nouvelles technologies : les opportunités pour le Maroc\n\n"
    "mercredi 4 juillet 2018 · heure de Rabat\n\n"
    "09:00 – 10:00 · Ouverture\nGrand auditorium · 100 places libres\n\n"
    "10:30 – 12:30 · Panel 1 : Data et technologies numériques\nSalle A · 30 places libres\n\n"
    "10:30 – 12:30 · Panel 2 : Énergie, efficacité énergétique et environnement\n"
    "Salle B · 30 places libres\n\n"
    "14:30 – 16:30 · Panel 3 : R et D et développement du Maroc\nSalle A · 30 places libres\n\n"
    "14:30 – 16:30 · Panel 4 : Investissement et entrepreneuriat\nSalle B · 30 places libres\n"
    "[09:00 Ouverture]\n[10:30 Panel 1 : Data et technologies…]\n"
    "[10:30 Panel 2 : Énergie, efficacité…]\n[14:30 Panel 3 : R et D et développement du…]\n"
    "[14:30 Panel 4 : Investissement et…]\n[jeu. 5 juil.]\n[Partager]"
)
DAY_TWO_AR = (
    "الملتقى الموضوعاتي الأول للخبراء المغاربة بفرنسا\n"
    "الابتكارات والتكنولوجيات الحديثة: الفرص المتاحة للمغرب\n\n"
    "الخميس، 5 يوليوز 2018 · بتوقيت الرباط\n\n"
    "09:30 – 11:30 · الندوة 5: المدن والجهات والمجالات الترابية\n"
    "القاعة أ · 40 مقعدا شاغرا\n\n"
    "14:00 – 16:00 · لقاءات بين خبراء فرنسا والمغرب\nالبهو · 100 مقعد شاغر\n\n"
    "16:30 – 17:30 · الخلاصات والاختتام\nالقاعة الكبرى · 100 مقعد شاغر\n"
    "[09:30 الندوة 5: المدن والجهات والمجالات…]\n[14:00 لقاءات بين خبراء فرنسا والمغرب]\n"
    "[16:30 الخلاصات والاختتام]\n[الأربعاء، 4 يوليوز]\n[مشاركة]"
)
PANEL_ONE_EN = (
    "Panel 1: Data and digital technologies\n"
    "📅 Wednesday, July 4, 2018\n🕘 10:30 – 12:30 (Rabat time)\n📍 Room A\n"
    "Themes: Innovation and new technologies, Scientific and technical research\n"
)


async def test_the_agenda_is_told_in_french(town: Town):
    await town.programme()
    amal = await town.member("Amal", "fr")
    assert await amal.says("/agenda") == [DAY_ONE_FR]


async def test_the_agenda_is_told_in_arabic_and_turns_to_the_other_day(town: Town):
    await town.programme()
    bilal = await town.member("Bilal", "ar")
    await bilal.says("/agenda")
    assert await bilal.taps("الخميس، 5 يوليوز") == [DAY_TWO_AR]


async def test_a_session_has_a_card_in_english(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    await emma.says("/agenda")
    assert await emma.taps("10:30 Panel 1: Data and digital technologies") == [
        f"{PANEL_ONE_EN}Seats: 30 seats free\n[Take a seat]\n[‹ Agenda] [My agenda] [Share]"
    ]
    (day,) = await emma.taps("‹ Agenda")
    assert day.startswith("1st Thematic Workshop of Moroccan Experts in France\n")


async def test_a_reader_elsewhere_is_told_their_own_time_too(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    await emma.says("/agenda")
    times = [e for e in emma.last.entities if e["type"] == "date_time"]
    begins = datetime(2018, 7, 4, 8, 0, tzinfo=UTC)  # 09:00 in Rabat, an hour ahead that summer
    assert times[0]["unix_time"] == int(begins.timestamp())
    assert len(times) == 10


async def test_without_events_the_agenda_says_so(town: Town):
    amal = await town.member("Amal", "fr")
    assert await amal.says("/agenda") == [
        "Aucun événement n'est prévu pour le moment. "
        "Dès que les organisateurs en publieront un, vous le trouverez ici."
    ]


async def test_of_several_events_one_is_chosen(town: Town):
    await town.programme()
    await town.programme("jobintech")
    await town.programme("lyon-2025")
    emma = await town.member("Emma", "en")
    assert await emma.says("/agenda") == [
        "Events\n\n"
        "1st Thematic Workshop of Moroccan Experts in France\nWednesday, July 4, 2018 · Rabat\n\n"
        "The Moroccan diaspora: a catalyst for digital transformation and cybersecurity in "
        "Morocco\nWednesday, June 25, 2025 · Lyon\n\n"
        "JobIntech: training for jobs in digital trades\nMonday, December 7, 2026 · Casablanca\n"
        "[1st Thematic Workshop of Moroccan Experts…]\n[The Moroccan diaspora: a catalyst for…]\n"
        "[JobIntech: training for jobs in digital…]"
    ]
    (lyon,) = await emma.taps("The Moroccan diaspora: a catalyst for…")
    assert "\n\nWednesday, June 25, 2025 · Lyon time\n\n18:00 – 18:40 · Digital Morocco" in lyon


async def test_an_online_session_and_its_zone(town: Town):
    await town.programme("jobintech")
    bilal = await town.member("Bilal", "ar")
    (day,) = await bilal.says("/agenda")
    # Morocco is at UTC+0 from September 2026 on.
    assert day.startswith(
        "جوب إنتك: تكوين وإدماج في مهن الرقمنة\n\nالاثنين، 7 دجنبر 2026 · بتوقيت الدار البيضاء\n\n"
        "18:00 – 19:00 · لقاء إخباري عن بعد\nعن بعد · 40 مقعدا شاغرا\n"
    )
    session = await town.session("information")
    assert session.starts_at == datetime(2026, 12, 7, 18, 0, tzinfo=UTC)


async def test_an_event_that_is_over_leaves_the_agenda(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    await emma.says("/agenda")
    yesterday = emma.last
    await town.is_now(datetime(2018, 7, 6, 12, 0, tzinfo=UTC))
    assert (await emma.says("/agenda"))[0].startswith("No event is planned at the moment.")
    # A tap on last week's keyboard still shows what was planned.
    (card,) = await emma.taps("09:00 Opening", yesterday)
    assert card.endswith("Seats: 100 seats free\n\nThis session is over.\n[‹ Agenda] [My agenda]")


async def test_a_button_of_an_event_that_is_gone_leads_to_the_agenda(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    await emma.says("/agenda")
    card = emma.last
    async with town.app.storage.begin() as db:
        for session in (await db.scalars(select(Session))).all():
            await db.delete(session)
    assert (await emma.taps("09:00 Opening", card))[0].startswith(
        "This session is no longer in the programme.\n\n"
    )


async def test_a_long_day_is_told_in_pages(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    panel = await town.session("panel-1")
    async with town.app.storage.begin() as db:
        for number in range(20):
            title = f"Workshop {number:02}"
            db.add(
                Session(
                    event_id=panel.event_id,
                    slug=f"workshop-{number}",
                    kind="workshop",
                    title={"en": title, "fr": title, "ar": title},
                    starts_at=panel.starts_at + timedelta(hours=5, minutes=number),
                    ends_at=panel.ends_at + timedelta(hours=5, minutes=number),
                    online=False,
                )
            )
    (first,) = await emma.says("/agenda")
    assert first.endswith(
        "[15:31 Workshop 01]\n[Later ›]\n[Thu, Jul 5]\n[Now and next] [By theme] [Share]"
    )
    (second,) = await emma.taps("Later ›")
    assert second.endswith(
        "[15:38 Workshop 08]\n[‹ Earlier] [Later ›]\n[Thu, Jul 5]\n[Now and next] [By theme] [Share]"
    )
    assert (await emma.taps("‹ Earlier")) == [first]


async def test_whoever_has_not_registered_may_read_and_is_asked_before_a_seat(town: Town):
    await town.programme()
    emma = town.stranger("Emma", "en")
    await emma.says("/start")
    await emma.taps("English")
    (day,) = await emma.says("/agenda")
    assert day.startswith("1st Thematic Workshop")
    await emma.taps("10:30 Panel 1: Data and digital technologies")
    toast, question = await emma.taps("Take a seat")
    assert toast == "(First, a few short questions.)"
    assert question.endswith("What is your name? Please write your first name and family name.")
    await emma.says("Emma Berrada")
    await emma.taps("France")
    await emma.taps("Lyon")
    await emma.taps("Skip")
    await emma.taps("Skip")
    await emma.taps("None of these")
    await emma.taps("In the diaspora")
    await emma.taps("Yes, that's right")
    # The door that was knocked at opens.
    assert (await emma.taps("I agree"))[1] == (
        f"{PANEL_ONE_EN}Seats: 30 seats free\n[Take a seat]\n[‹ Agenda] [My agenda] [Share]"
    )
