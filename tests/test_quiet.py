"""Quiet hours and zones in the chat: guessed, shown, corrected."""

from datetime import UTC, datetime

import pytest

from handlers.places import zone_named, zone_of
from storage import members
from storage.tables import Role
from tests.town import EVE, Town, drawn

PAGE = (
    "Heures de calme\n\n"
    "Aucun rappel ne sonne de 22:00 à 08:00 : celui du petit matin arrive la veille au soir.\n\n"
    "Votre fuseau horaire, déduit de votre ville : Paris (10:00)\n"
    "[🌙 20:00] [🌙 21:00] [✅ 22:00] [🌙 23:00]\n[☀️ 06:00] [☀️ 07:00] [✅ 08:00] [☀️ 09:00]\n"
    "[▫️ Pas d'heures de calme]\n[🕘 Un autre fuseau horaire]\n[‹ Réglages]"
)


async def test_quiet_hours_are_shown_and_changed_by_tap(town: Town):
    amal = await town.member("Amal", "fr")
    (home,) = await amal.says("/settings")
    assert home.splitlines()[2:6] == [
        "Langue : Français",
        "Rappels : 24 heures et 15 minutes avant chaque séance",
        "Heures de calme : de 22:00 à 08:00",
        "Nom : Amal",
    ]
    assert await amal.taps("🌙 Heures de calme") == [PAGE]
    assert await amal.taps("🌙 21:00") == [
        PAGE.replace("de 22:00", "de 21:00")
        .replace("✅ 22:00", "🌙 22:00")
        .replace("🌙 21:00", "✅ 21:00")
    ]
    assert (await amal.taps("☀️ 09:00"))[0].startswith(
        "Heures de calme\n\nAucun rappel ne sonne de 21:00 à 09:00 :"
    )
    assert await amal.taps("▫️ Pas d'heures de calme") == [
        "Heures de calme\n\nIl n'y a pas d'heures de calme : un rappel peut arriver à toute "
        "heure.\n\nVotre fuseau horaire, déduit de votre ville : Paris (10:00)\n"
        "[🌙 20:00] [🌙 21:00] [🌙 22:00] [🌙 23:00]\n[☀️ 06:00] [☀️ 07:00] [☀️ 08:00] [☀️ 09:00]\n"
        "[✅ Pas d'heures de calme]\n[🕘 Un autre fuseau horaire]\n[‹ Réglages]"
    ]
    (home,) = await amal.taps("‹ Réglages")
    assert home.splitlines()[4] == "Heures de calme : aucune"
    await amal.taps("🌙 Heures de calme")
    assert await amal.taps("🌙 22:00") == [PAGE]


async def test_the_zone_is_corrected_by_the_name_of_a_city_and_guessed_again(town: Town):
    amal = await town.member("Amal", "fr")
    await amal.says("/settings")
    await amal.taps("🌙 Heures de calme")
    assert await amal.taps("🕘 Un autre fuseau horaire") == [
        "Votre fuseau horaire, déduit de votre ville : Paris (10:00)\n\n"
        "À l'heure de quelle grande ville vivez-vous ? Écrivez son nom.\n[‹ Retour]"
    ]
    assert await amal.says("chez moi") == [
        "Je ne connais pas ce lieu. Merci d'écrire le nom d'une grande ville, par exemple "
        "Montréal.\n\nVotre fuseau horaire, déduit de votre ville : Paris (10:00)\n\n"
        "À l'heure de quelle grande ville vivez-vous ? Écrivez son nom.\n[‹ Retour]"
    ]
    chosen = PAGE.replace(
        "déduit de votre ville : Paris (10:00)", "que vous avez choisi : Toronto (04:00)"
    )
    assert await amal.says("Montréal") == [f"C'est noté.\n\n{chosen}"]
    async with town.app.storage.read() as db:
        member = await town.member_of(db, amal)
        assert (member.timezone, member.rhythm) == ("America/Toronto", "America/Toronto|1320|480")
    await amal.taps("🕘 Un autre fuseau horaire")
    assert await amal.taps("Celui de ma ville") == [PAGE]
    async with town.app.storage.read() as db:
        member = await town.member_of(db, amal)
        assert (member.timezone, member.rhythm) == (None, "Europe/Paris|1320|480")


async def test_the_question_can_be_left_by_command_and_by_tap(town: Town):
    amal = await town.member("Amal", "fr")
    await amal.says("/settings")
    await amal.taps("🌙 Heures de calme")
    await amal.taps("🕘 Un autre fuseau horaire")
    assert await amal.says("/cancel") == [f"Rien n'est modifié.\n\n{PAGE}"]
    await amal.taps("🕘 Un autre fuseau horaire")
    assert await amal.taps("‹ Retour") == [PAGE]
    assert (await amal.says("Tokyo"))[0].startswith("Je n'ai pas compris.")


async def test_in_arabic_and_in_english(town: Town):
    bilal, emma = await town.member("Bilal", "ar"), await town.member("Emma", "en")
    for somebody, moon in ((bilal, "🌙 ساعات الهدوء"), (emma, "🌙 Quiet hours")):
        await somebody.says("/settings")
        await somebody.taps(moon)
    assert drawn(bilal.last).splitlines()[:5] == [
        "ساعات الهدوء",
        "",
        "لا يصلكم أي تذكير من 22:00 إلى 08:00: تذكير الصباح الباكر يصلكم في مساء اليوم السابق.",
        "",
        "منطقتكم الزمنية حسب مدينتكم: باريس (10:00)",
    ]
    assert drawn(emma.last).splitlines()[2:5] == [
        "No reminder rings from 22:00 to 08:00: an early one comes the evening before.",
        "",
        "Your time zone, guessed from your city: Paris (10:00)",
    ]


async def test_whoever_moves_has_the_zone_of_the_new_city_unless_they_chose_one(town: Town):
    amal = await town.member("Amal", "fr")
    await amal.says("/settings")
    await amal.taps("👤 Profil")
    await amal.taps("✎ Pays")
    await amal.taps("Canada")
    await amal.says("Calgary")
    async with town.app.storage.read() as db:
        assert (await town.member_of(db, amal)).rhythm == "America/Edmonton|1320|480"
    async with town.app.storage.begin() as db:
        members.set_timezone(await town.member_of(db, amal), "Europe/Paris", None)
    await amal.taps("✎ Ville")
    await amal.says("Vancouver")
    async with town.app.storage.read() as db:
        assert (await town.member_of(db, amal)).rhythm == "Europe/Paris|1320|480"


async def test_an_early_session_is_reminded_of_the_evening_before(town: Town):
    await town.programme()
    # Half past seven in Rabat.
    dawn = datetime(2018, 7, 4, 6, 30, tzinfo=UTC)
    await town.session("panel-1", starts_at=dawn, ends_at=datetime(2018, 7, 4, 8, tzinfo=UTC))
    amal = await town.member("Amal", "fr", leads=(15,))
    await town.seat(amal, "panel-1")
    await town.passes(hours=12)
    assert amal.heard() == []
    await town.passes(hours=1)
    (reminder,) = amal.heard()
    assert reminder.splitlines()[0] == "⏰ Rappel : dans 10 heures"
    assert town.clock.now() == EVE.replace(hour=21)
    await town.passes(hours=12)
    assert [said for said in amal.heard() if "⏰" in said] == []


@pytest.mark.parametrize(
    ("country", "city", "zone"),
    [
        ("FR", "Lyon", "Europe/Paris"),
        ("FR", "somewhere", "Europe/Paris"),
        ("MA", "الرباط", "Africa/Casablanca"),
        ("CA", "Montréal", "America/Toronto"),
        ("CA", "  CALGARY ", "America/Edmonton"),
        ("CA", "فانكوفر", "America/Vancouver"),
        ("CA", "somewhere", "America/Toronto"),
        ("US", "Houston", "America/Chicago"),
        ("ES", "Las Palmas", "Atlantic/Canary"),
        ("AQ", "nowhere", None),
        (None, None, None),
    ],
)
def test_the_zone_of_a_city_is_guessed(country, city, zone):
    assert zone_of(country, city) == zone


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("Dubaï", "Asia/Dubai"),
        ("دبي", "Asia/Dubai"),
        ("new york", "America/New_York"),
        ("Le Caire", "Africa/Cairo"),
        ("كندا", "America/Toronto"),
        ("Émirats arabes unis", "Asia/Dubai"),
        ("", None),
        ("🙂", None),
        ("Etc/UTC", None),
    ],
)
def test_a_zone_is_named_by_a_city_or_a_country(typed, zone):
    assert zone_named(typed) == zone


async def test_the_zones_of_old_members_are_guessed_at_the_start(town: Town):
    amal = await town.member("Amal", "fr")
    async with town.app.storage.begin() as db:
        member = await town.member_of(db, amal)
        assert (member.rhythm, member.role) == ("|1320|480", Role.MEMBER)
        await members.guess_zones(db, zone_of)
    async with town.app.storage.read() as db:
        assert (await town.member_of(db, amal)).rhythm == "Europe/Paris|1320|480"
