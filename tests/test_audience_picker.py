"""Putting an audience together by taps: told in words, counted after each tap, within an area."""

import dataclasses

import pytest
from sqlalchemy import select

from storage import announcements, members
from storage.tables import Announcement, Audit, Post, Purpose, Role, Stage
from tests.entrance import keeper
from tests.town import Town

NOBODY = """👥 To whom
Nobody is chosen yet.

Tap what they have in common. Several conditions must all be true.
[Everyone]
[🎫 An event's people] [🏙 City or country]
[🏷 Themes] [🌍 Side] [🗣 Language]
[🗳 An earlier announcement]
[📂 Saved audiences]
[✔ Done]"""
BELOW = """
[Everyone]
[🎫 An event's people] [🏙 City or country]
[🏷 Themes] [🌍 Side] [🗣 Language]
[🗳 An earlier announcement]
[🚫 But not …]
[➖ Remove …] [💾 Save as …]
[📂 Saved audiences]
[✔ Done]"""
THREE = "3 people get it\nالعربية: 1 · English: 1 · Français: 1\nTelegram: 3"
WAY_BACK = "[‹ Back] [👥 The audience]"
WORKSHOP = "1st Thematic Workshop of Moroccan…"
LYON = "Members who live in Lyon or Belgium"
SEATED = f"{LYON}; who hold a seat ({WORKSHOP})"


async def draft(town, resident):
    """An announcement of theirs; its id."""
    async with town.app.storage.begin() as db:
        author = await town.member_of(db, resident)
        made = await announcements.draft(db, author, author.language, town.clock.now())
    return made.id


async def rule_of(town, announcement):
    async with town.app.storage.read() as db:
        return (await db.get(Announcement, announcement)).rule


async def moves(town, resident, country, city):
    async with town.app.storage.begin() as db:
        member = await town.member_of(db, resident)
        profile = await members.profile_of(db, member)
        there = dataclasses.replace(profile, country=country, city=city)
        await members.register(db, member, there, town.clock.now())


async def opens(resident, announcement):
    """The card, as the composer opens it."""
    await resident.says("/events")
    return await resident.after(resident.person.taps_data(f"aud:card:{announcement}:0:"))


@pytest.fixture
async def sofia(town: Town):
    """One of the team, among Amal and Bilal of Lyon and Chloé of Brussels, who wants no news."""
    await town.programme()
    sofia = await keeper(town, "Sofia")
    amal, bilal = await town.member("Amal", "fr"), await town.member("Bilal", "ar")
    await moves(town, bilal, "FR", "ليون")
    chloe = await town.member("Chloé", "fr", agrees=[Purpose.EVENTS])
    await moves(town, chloe, "BE", "Bruxelles")
    await town.seat(amal, "panel-1")
    return sofia


async def test_an_audience_is_put_together_by_taps(town: Town, sofia):
    one = await draft(town, sofia)
    assert await opens(sofia, one) == [NOBODY]

    places = (
        "\nWhere do they live?\n[▫️ Lyon · 3] [▫️ Bruxelles · 1]\n[▫️ France · 3] [▫️ Belgium · 1]\n"
        f"[✎ Another city or country]\n{WAY_BACK}"
    )
    assert await sofia.taps("🏙 City or country") == [
        "Nobody is chosen yet.\nTap what they have in common. Several conditions must all be "
        f"true.\n{places}"
    ]
    assert await sofia.taps("▫️ Lyon · 3") == [
        f"Members who live in Lyon\n{THREE}\n{places.replace('▫️ Lyon', '✅ Lyon')}"
    ]
    assert await rule_of(town, one) == {"city": "lyon"}

    ask = "Write the name of a city or of a country.\n[‹ Back]"
    assert await sofia.taps("✎ Another city or country") == [ask]
    assert await sofia.says("Nowhere") == [
        f"No member lives in Nowhere, as far as they told me.\n\n{ask}"
    ]
    (card,) = await sofia.says("بلجيكا")
    assert card == (
        f"👥 To whom\n{LYON}\n\n{THREE}\n🔕 1 person does not want announcements{BELOW}"
    )
    assert await rule_of(town, one) == {"any": [{"city": "lyon"}, {"country": "BE"}]}

    await sofia.taps("🎫 An event's people")
    states = (
        "[▫️ hold a seat]\n[▫️ are on the waitlist]\n[▫️ came]\n[▫️ were offered a seat]\n"
        f"[▫️ gave up their seat]\n[One session of it …]\n{WAY_BACK}"
    )
    (event,) = await sofia.taps(WORKSHOP)
    assert event.endswith(
        f"\n\n1st Thematic Workshop of Moroccan Experts in France\nThose who …\n{states}"
    )
    assert await sofia.taps("▫️ hold a seat") == [
        f"{SEATED}\n1 person gets it\nFrançais: 1\nTelegram: 1\n\n"
        "1st Thematic Workshop of Moroccan Experts in France\nThose who …\n"
        f"{states.replace('▫️ hold', '✅ hold')}"
    ]
    (either,) = await sofia.taps("▫️ came")
    assert either.startswith(f"{LYON}; who hold a seat or came ({WORKSHOP})\n1 person gets it")
    await sofia.taps("✅ came")
    await sofia.taps("👥 The audience")
    (composed,) = await sofia.taps("✔ Done")
    assert composed.startswith("Announcement · ")
    assert f"👥 {SEATED}\n" in composed
    (card,) = await sofia.taps("👥 To whom")
    assert card.startswith(f"👥 To whom\n{SEATED}\n\n1 person gets it")


async def test_some_are_left_out_and_a_condition_is_taken_out(town: Town, sofia):
    one = await draft(town, sofia)
    await opens(sofia, one)
    assert (await sofia.taps("Everyone"))[0].startswith("👥 To whom\nEveryone\n\n3 people get it")
    await sofia.taps("🚫 But not …")
    await sofia.taps("🗣 Language")
    assert await sofia.taps("▫️ العربية") == [
        "Everyone; but not those who read العربية\n2 people get it\nEnglish: 1 · Français: 1\n"
        "Telegram: 2\n🔕 1 person does not want announcements\n\n🚫 These are left out:\n"
        f"Which language do they read?\n[▫️ Français] [✅ العربية] [▫️ English]\n{WAY_BACK}"
    ]
    await sofia.taps("‹ Back")
    await sofia.taps("🏙 City or country")
    (said,) = await sofia.taps("▫️ Belgium · 1")
    assert said.startswith(
        "Everyone; but not those who read العربية; but not those who live in Belgium\n2 people"
    )
    await sofia.taps("👥 The audience")
    assert await sofia.taps("➖ Remove …") == [
        "Which condition do you take out?\n[✕ who have registered]\n[✕ not: who read العربية]\n"
        "[✕ not: who live in Belgium]\n[‹ Back]"
    ]
    (said,) = await sofia.taps("✕ not: who read العربية")
    assert said.startswith("👥 To whom\nEveryone; but not those who live in Belgium\n\n3 people")
    assert await rule_of(town, one) == {"all": [{"everyone": True}, {"not": {"country": "BE"}}]}


async def test_an_audience_is_saved_taken_and_deleted(town: Town, sofia):
    one, two = await draft(town, sofia), await draft(town, sofia)
    await opens(sofia, one)
    assert await sofia.taps("📂 Saved audiences") == [
        "📂 Saved audiences\n\nNone yet. Put an audience together, then save it under a name.\n"
        "[‹ Back]"
    ]
    await sofia.taps("‹ Back")
    await sofia.taps("🌍 Side")
    await sofia.taps("▫️ In the diaspora")
    await sofia.taps("👥 The audience")
    asked = "Under which name do you save this audience?\n[‹ Back]"
    assert await sofia.taps("💾 Save as …") == [asked]
    assert await sofia.says("x" * 81) == ["Please write a name of at most 80 characters.\n[‹ Back]"]
    (card,) = await sofia.says("Abroad")
    assert card.startswith("💾 Saved as Abroad.\n\n👥 To whom\nMembers of the diaspora\n")

    await opens(sofia, two)
    assert await sofia.taps("📂 Saved audiences") == [
        "📂 Saved audiences\n\nAbroad: Members of the diaspora\n[Abroad] [🗑]\n[‹ Back]"
    ]
    (card,) = await sofia.taps("Abroad")
    assert card.startswith("👥 To whom\nMembers of the diaspora\n\n3 people get it")
    assert await rule_of(town, two) == {"side": "diaspora"}
    await sofia.taps("📂 Saved audiences")
    (toast, *_) = await sofia.taps("🗑")
    assert toast == "(Deleted.)"
    async with town.app.storage.read() as db:
        done = (await db.scalars(select(Audit.action).order_by(Audit.id))).all()
    assert done[-2:] == ["audience.saved", "audience.deleted"]


async def test_whoever_has_an_area_stays_within_it(town: Town, sofia):
    async with town.app.storage.begin() as db:
        post = Post(name={"en": "Consulate in Lyon"}, country="FR", cities=["lyon"])
        db.add(post)
        await db.flush()
        (await town.member_of(db, sofia)).post_id = post.id
    one = await draft(town, sofia)
    await opens(sofia, one)
    (card,) = await sofia.taps("Everyone")
    assert card == (
        "👥 To whom\nEveryone\nWithin your area: Members who live in France; who live in Lyon\n\n"
        f"{THREE}{BELOW}"
    )
    area = {"all": [{"country": "FR"}, {"any": [{"city": "lyon"}]}]}
    assert await rule_of(town, one) == {"all": [area, {"everyone": True}]}
    await sofia.taps("🏙 City or country")
    assert "Bruxelles" not in sofia.last.text + str(sofia.last.labels)
    await sofia.taps("👥 The audience")
    await sofia.taps("🚫 But not …")
    await sofia.taps("🗣 Language")
    (said,) = await sofia.taps("▫️ Français")
    assert said.startswith("Everyone; but not those who read Français\n2 people get it")


@pytest.mark.parametrize(
    ("language", "card"),
    [
        (
            "fr",
            "👥 À qui\nLes membres dont le lieu de résidence est Lyon ou Belgique ; qui ont une "
            "place (1er Atelier thématique des experts…) ; mais pas ceux qui lisent en العربية\n\n"
            "1 personne la recevra\nFrançais : 1\nTelegram : 1",
        ),
        (
            "ar",
            "👥 إلى من\nالأعضاء الذين يقيمون في ليون أو بلجيكا؛ الذين لديهم مقعد "
            "(الملتقى الموضوعاتي الأول للخبراء…)؛ باستثناء الذين يقرأون بلغة العربية\n\n"
            "شخص واحد يتوصل به\n",
        ),
    ],
)
async def test_a_rule_is_told_in_the_readers_language(town: Town, sofia, language, card):
    one = await draft(town, sofia)
    event = (await town.session("panel-1")).event_id
    async with town.app.storage.begin() as db:
        (await db.get(Announcement, one)).rule = {
            "all": [
                {"any": [{"city": "lyon"}, {"country": "BE"}]},
                {"event": event, "states": ["confirmed"]},
                {"not": {"language": "ar"}},
            ]
        }
        (await town.member_of(db, sofia)).language = language
    (said,) = await opens(sofia, one)
    assert said[: len(card)] == card


async def test_only_its_author_picks_and_only_before_it_left(town: Town, sofia):
    one = await draft(town, sofia)
    rami = await keeper(town, "Rami")
    closed = "This can't be changed any more.\n[✔ Done]"
    assert await opens(rami, one) == [closed]
    for data in ("everyone", "but", "remove", "removed", "places", "set", "load"):
        tapped = rami.person.taps_data(f"aud:{data}:{one}:0:city.lyon")
        assert (await rami.after(tapped))[-1:] != [NOBODY]
    assert await rule_of(town, one) is None

    await opens(sofia, one)
    async with town.app.storage.begin() as db:
        (await db.get(Announcement, one)).stage = Stage.SENDING
    assert await sofia.taps("Everyone") == [closed]
    assert await rule_of(town, one) is None

    async with town.app.storage.begin() as db:
        (await db.get(Announcement, one)).stage = Stage.DRAFT
        (await town.member_of(db, sofia)).role = Role.MEMBER
    assert await sofia.after(sofia.person.taps_data(f"aud:everyone:{one}:0:")) == [
        "(This button is from an older message. /help shows the way.)"
    ]
    assert await rule_of(town, one) is None


async def test_taps_with_odd_values_change_nothing(town: Town, sofia):
    one = await draft(town, sofia)
    await opens(sofia, one)
    for value in ("", "event.x.y", "event.1.seated", "theme.99999999999999", "answered.1.x", "rm"):
        await sofia.after(sofia.person.taps_data(f"aud:set:{one}:0:{value}"))
        assert await rule_of(town, one) in (None, {"answered": 1, "answers": [0]})
