"""Rounds, by staff and by the clock: seen before they go, of the right people, told with reasons."""

from datetime import timedelta

from storage.tables import Role, Topic
from tests.acquaintances import PROPOSED_FR, joins, two
from tests.town import EVE, Town


async def staff(town: Town):
    salma = await town.member("Salma", "en")
    async with town.app.storage.begin() as db:
        (await town.member_of(db, salma)).role = Role.STAFF
    return salma


async def test_staff_see_a_preview_before_anybody_is_told(town: Town):
    amal, bilal = await two(town)
    salma = await staff(town)
    assert await salma.says("/rounds") == [
        "Rounds of introductions\n2 members take part.\nThere is no weekly round.\n"
        "[🎲 Draw a round of everybody]\n[▶️ Weekly round on]\n[📊 What introductions brought]"
    ]
    await salma.taps("🎲 Draw a round of everybody")
    await town.is_now(EVE)
    assert salma.heard() == [
        "A round of introductions, before anybody is told\n1 introduction of 2 people\n\n"
        "• Amal (Lyon) ↔ Bilal (Lyon): an investment, both shores\n"
        "[✅ Propose them all]\n[✕ Drop this round]"
    ]
    assert amal.heard() == bilal.heard() == []
    (card,) = await salma.taps("✅ Propose them all")
    assert card.startswith("✅ 1 introduction is proposed.\n\n")
    await town.is_now(EVE)
    assert amal.heard() == [PROPOSED_FR]


async def test_a_round_can_be_dropped(town: Town):
    amal, _bilal = await two(town)
    salma = await staff(town)
    await salma.says("/rounds")
    await salma.taps("🎲 Draw a round of everybody")
    await town.is_now(EVE)
    (card,) = await salma.taps("✕ Drop this round")
    assert "Dropped. Nobody was told." in card
    await town.is_now(EVE)
    assert amal.heard() == []


async def test_who_is_left_out_is_told_to_staff_with_the_reason(town: Town):
    await two(town)
    lonely = await town.member("Zineb", "en")
    await joins(town, lonely, offers=[Topic.INVESTMENT])
    salma = await staff(town)
    await salma.says("/rounds")
    await salma.taps("🎲 Draw a round of everybody")
    await town.is_now(EVE)
    assert (
        "Left out:\n• Zineb: there was nobody with a language and a reason in common\n"
        in (salma.heard()[-1])
    )


async def test_the_weekly_round_goes_by_the_clock(town: Town):
    amal, _bilal = await two(town)
    salma = await staff(town)
    await salma.says("/rounds")
    (card,) = await salma.taps("▶️ Weekly round on")
    # The eve is a Tuesday; the zone is that of Salma's day.
    assert "Weekly round: Monday, July 9, 2018, 10:00." in card
    await town.is_now(EVE + timedelta(days=5, hours=23))
    assert amal.heard() == []
    await town.is_now(EVE + timedelta(days=6, hours=2))
    await town.is_now(EVE + timedelta(days=6, hours=2))
    assert amal.heard() == [PROPOSED_FR]
    (card,) = await salma.says("/rounds")
    assert "Weekly round: Monday, July 16, 2018, 10:00." in card
    (card,) = await salma.taps("⏸ Weekly round off")
    assert "There is no weekly round." in card


async def test_an_events_round_is_of_those_who_have_a_seat(town: Town):
    await town.programme()
    amal, bilal = await two(town)
    chloe = await town.member("Chloé", "fr")
    await joins(town, chloe, offers=[Topic.INVESTMENT])
    for one in (amal, bilal):
        await town.seat(one, "panel-2")
    salma = await staff(town)
    await salma.says("/rounds")
    event = next(
        b.text for row in salma.last.keyboard for b in row if "round" not in b.text.lower()
    )
    (card,) = await salma.taps(event)
    assert "[Nothing] [A little]\n[✅ Much] [Above all]\n" in card
    (card,) = await salma.taps("Above all")
    assert "[✅ Above all]" in card
    await salma.taps("🎲 Draw a round")
    await town.is_now(EVE)
    assert "1 introduction of 2 people\n" in salma.heard()[-1]


async def test_rounds_are_for_staff(town: Town):
    amal, _ = await two(town)
    (answer,) = await amal.says("/rounds")
    assert answer.startswith("Je ne connais pas cette commande.")
