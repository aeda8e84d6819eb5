"""Whoever leaves while a proposal stands: the other side hears what they hear after silence."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from storage import forgetting, introductions, meeting_profiles
from storage.introductions import Outcome
from storage.tables import Answer, Introduction, Progress, Topic
from tests.acquaintances import PROPOSED_FR, a_round, joins, two
from tests.town import EVE, Town

NUDGED = (
    "⏳ Il est encore temps de répondre à la mise en relation que je vous ai proposée.\n"
    "[✅ Oui, volontiers] [Pas maintenant]\n[🚫 Pas cette personne]"
)
ENDED = (
    "La mise en relation avec Bilal n'a pas abouti cette fois-ci. "
    "Je vous proposerai quelqu'un d'autre."
)
# A name that was erased can't be written any more.
ENDED_NAMELESS = (
    "La mise en relation n'a pas abouti cette fois-ci. Je vous proposerai quelqu'un d'autre."
)


async def stays(_town: Town, _resident):
    """They say nothing."""


async def leaves(town: Town, resident):
    async with town.app.storage.begin() as db:
        member = await town.member_of(db, resident)
        await meeting_profiles.leave(db, member, EVE, version="t", channel="telegram")


async def is_forgotten(town: Town, resident):
    async with town.app.storage.begin() as db:
        await forgetting.forget(db, await town.member_of(db, resident), EVE)


async def heard_until_the_end(town: Town, resident):
    """All that is heard, and after how many hours, for a week."""
    heard = []
    for hours in (1, 23, 24, 25, 47, 48, 49, 168):
        await town.is_now(EVE + timedelta(hours=hours))
        heard += [(hours, said) for said in resident.heard()]
    return heard


@pytest.mark.parametrize(
    ("departs", "end"), [(stays, ENDED), (leaves, ENDED), (is_forgotten, ENDED_NAMELESS)]
)
async def test_a_departure_sounds_like_silence_to_who_said_yes(town: Town, departs, end):
    amal, bilal = await two(town)
    await a_round(town)
    amal.heard()
    await departs(town, bilal)
    (card,) = await amal.taps("✅ Oui, volontiers")
    assert card.endswith("✅ Vous avez dit oui. Je vous dirai la suite.\n[Pas maintenant]")
    assert await heard_until_the_end(town, amal) == [(48, end)]
    async with town.app.storage.read() as db:
        one = await db.scalar(select(Introduction))
        assert one.progress == Progress.LAPSED


@pytest.mark.parametrize("departs", [stays, leaves, is_forgotten])
async def test_a_departure_sounds_like_silence_to_who_says_nothing(town: Town, departs):
    amal, bilal = await two(town)
    await a_round(town)
    amal.heard()
    await departs(town, bilal)
    assert await heard_until_the_end(town, amal) == [(24, NUDGED)]


@pytest.mark.parametrize(
    ("departs", "heard"), [(stays, [(24, PROPOSED_FR)]), (leaves, []), (is_forgotten, [])]
)
async def test_who_never_read_the_proposal_reads_it_late_or_not_at_all(town: Town, departs, heard):
    amal, bilal = await two(town)
    await amal.after(amal.person.blocks())
    await a_round(town)
    await departs(town, bilal)
    await amal.after(amal.person.unblocks())
    await amal.says("/help")
    assert await heard_until_the_end(town, amal) == heard


async def test_never_this_person_is_answered_as_ever_after_they_are_gone(town: Town):
    amal, bilal = await two(town)
    await a_round(town)
    amal.heard()
    await is_forgotten(town, bilal)
    assert await amal.taps("🚫 Pas cette personne") == [
        "Ne plus jamais vous proposer cette personne ? C'est définitif. Personne n'en est informé.\n"
        "[Jamais cette personne]\n[Seulement pas maintenant]"
    ]
    assert await amal.taps("Jamais cette personne") == [
        "Cette personne ne vous sera plus jamais proposée. Personne n'en est informé."
    ]
    assert await heard_until_the_end(town, amal) == []


async def test_two_of_a_trio_do_not_agree_without_the_third(town: Town):
    amal, bilal = await two(town)
    chloe = await town.member("Chloé", "fr")
    await joins(town, chloe, offers=[Topic.INVESTMENT], speaks=["ar"])
    await a_round(town)
    for one in (amal, bilal, chloe):
        one.heard()
    await is_forgotten(town, chloe)
    async with town.app.storage.begin() as db:
        for one in (amal, bilal):
            member = await town.member_of(db, one)
            said = await introductions.answer(db, member, 1, Answer.YES, EVE)
            assert said == Outcome.NOTED
    assert await heard_until_the_end(town, amal) == [(48, ENDED_NAMELESS)]
