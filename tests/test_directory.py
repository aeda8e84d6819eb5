"""The directory: people found by a few words in any language, and asked for an introduction."""

import pytest

from storage import directory, meeting_profiles
from storage.directory import Entry
from storage.tables import Purpose
from tests.town import Resident, Town


def entry(id_: int, city: str, profession: str = "", line: str = "") -> Entry:
    return Entry(
        id_, f"N{id_}", city, "FR", profession, line, frozenset(), frozenset(), frozenset()
    )


PEOPLE = [
    entry(1, "Lyon", "ingénieure", "Hydrogène vert et piles à combustible"),
    entry(2, "Lyon", "avocat"),
    entry(3, "Paris", "chercheuse", "l'hydrogène, de la production au transport"),
    entry(4, "Lyon", "médecin"),
    entry(5, "الرباط", "مهندس", "الهيدروجين الأخضر"),
]


def said(one: Entry):
    return (one.city, one.profession, one.line)


@pytest.mark.parametrize(
    ("asked", "found", "exact"),
    [
        ("quelqu'un dans l'hydrogène à Lyon", [1], True),
        ("Je cherche une personne qui travaille dans l'hydrogène", [1, 3], True),
        ("HYDROGENE", [1, 3], True),
        ("hydro", [1, 3], True),
        ("someone in Lyon", [1, 2, 4], True),
        ("أبحث عن شخص في الهيدروجين", [5], True),
        ("هيدروجين", [5], True),
        # Nobody has both: the hydrogen comes before the rest of the city.
        ("hydrogène Marseille", [1, 3], False),
        ("avocat hydrogène Paris", [2, 3], False),
        ("quelqu'un", [], True),
        ("soudeur", [], False),
        ("", [], True),
        ("%_' -- 😀", [], True),
    ],
)
def test_whom_a_few_words_find(asked, found, exact):
    answer = directory.look(directory.asked_for(asked), PEOPLE, said)
    assert sorted(one.id for one in answer.entries) == found
    assert answer.exact is exact


async def listed(town: Town, name: str, language: str, **facts) -> Resident:
    resident = await town.member(name, language)
    async with town.app.storage.begin() as db:
        member = await town.member_of(db, resident)
        for field, value in facts.items():
            setattr(member, field, value)
    return resident


async def test_somebody_is_found_and_asked_in_three_languages(town: Town):
    amal = await listed(town, "Amal Benali", "fr", profession="Ingénieure hydrogène")
    bilal = await listed(town, "Bilal Alaoui", "ar", city="Rabat", country="MA")
    chloe = await town.member("Chloé", "en", agrees=[Purpose.EVENTS])
    assert await chloe.says("/people") == [
        "The directory\n2 members may be found here.\n\n"
        "Whom are you looking for? Write a few words, in any of our languages: a trade, a theme, a "
        "city. For example: hydrogen Lyon\n\nYou are not listed yourself.\n"
        "[By theme] [By city] [By offer]\n[✅ List me too]"
    ]
    assert await chloe.says("somebody in hydrogen, in Lyon") == [
        "1 member\n\n👤 Amal · Lyon, Ingénieure hydrogène\n[👤 Amal · Lyon]\n[‹ Directory]"
    ]
    assert await chloe.says("الرباط") == [
        "1 member\n\n👤 Bilal · Rabat\n[👤 Bilal · Rabat]\n[‹ Directory]"
    ]
    assert await chloe.taps("👤 Amal · Lyon") == [
        "👤 Amal · Lyon, Ingénieure hydrogène\n[🤝 Ask for an introduction]\n[‹ Directory]"
    ]
    assert await chloe.taps("🤝 Ask for an introduction") == [
        "Why would you like to meet? Write one or two sentences: they are read with your first "
        "name, city and profession, and the other decides. By sending them you agree to "
        "introductions; /settings changes that.\n[‹ Back]"
    ]
    assert await chloe.says("I build <electrolysers> in Lyon.") == [
        "✅ Your request is on its way. If the answer is yes, you get each other's contact; else I "
        "tell you within two days that it did not work out.\n[‹ Directory]"
    ]
    await town.is_now(town.clock.now())
    assert amal.heard() == [
        "🤝 Une personne à rencontrer\n\nChloé · Lyon\n\n"
        "Son message : I build <electrolysers> in Lyon.\n\n"
        "Si tout le monde dit oui, chacun reçoit les coordonnées de l'autre. Un non n'est dit à "
        "personne.\nPour ne plus en recevoir : /stop\n"
        "[✅ Oui, volontiers] [Pas maintenant]\n[🚫 Pas cette personne]"
    ]
    assert chloe.heard() == []
    await amal.taps("✅ Oui, volontiers")
    await town.is_now(town.clock.now())
    assert chloe.heard() == [
        "🎉 All of you said yes\n\nAmal Benali · Ingénieure hydrogène · Lyon\n"
        "To reach them, here: Amal Benali\n\n"
        "To begin, for instance: Hello Amal, Jisr has just introduced us. When would a short call "
        "suit you?\n[📅 Agree on a time]"
    ]
    # The same again is no second request; and Bilal's list is in his language.
    await chloe.says("/people hydrogène")
    await chloe.taps("👤 Amal · Lyon")
    assert await chloe.taps("🤝 Ask for an introduction") == [
        "(You two have been introduced or asked for already.)"
    ]
    assert await bilal.says("/people ingénieure") == [
        "عضو واحد\n\n👤 Amal · ليون، Ingénieure hydrogène\n[👤 Amal · ليون]\n[‹ الدليل]"
    ]


async def test_three_requests_a_day(town: Town):
    for name in ("Amal", "Bilal", "Chloé", "Driss"):
        await listed(town, name, "en")
    emma = await town.member("Emma", "en")
    for name in ("Amal", "Bilal", "Chloé"):
        await emma.says("/people Lyon")
        await emma.taps(f"👤 {name} · Lyon")
        await emma.taps("🤝 Ask for an introduction")
        assert (await emma.says("We share a trade."))[0].startswith("✅ Your request")
    await emma.says("/people Lyon")
    await emma.taps("👤 Driss · Lyon")
    assert await emma.taps("🤝 Ask for an introduction") == [
        "(You have asked for 3 introductions today: please go on tomorrow.)"
    ]
    await town.passes(hours=25)
    emma.heard()
    assert (await emma.taps("🤝 Ask for an introduction"))[0].startswith("Why would you like")


async def test_whoever_leaves_or_blocks_is_not_found(town: Town):
    amal = await listed(town, "Amal", "en")
    bilal = await listed(town, "Bilal", "en", organisation="ONEE")
    async with town.app.storage.begin() as db:
        a, b = await town.member_of(db, amal), await town.member_of(db, bilal)
        await meeting_profiles.never_organisation(db, a, "onee", town.clock.now())
        assert await directory.entries(db, b) == []
        assert await directory.entries(db, a) == []
    chloe = await town.member("Chloé", "en")
    assert "2 members" in (await chloe.says("/people Lyon"))[0]
    await amal.says("/people")
    assert (await amal.taps("Take me off the list"))[0] == "(You are no longer in the directory.)"
    assert await chloe.taps("👤 Amal · Lyon") == ["(This person is no longer in the directory.)"]
    assert "1 member" in (await chloe.says("/people Lyon"))[0]
