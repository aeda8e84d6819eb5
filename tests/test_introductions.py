"""Introductions: both say yes, or it did not work out; and nobody learns who refused."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from storage import introductions, meeting_profiles
from storage.tables import (
    Answer,
    Introduction,
    IntroductionSide,
    MeetingBlock,
    MeetingProfile,
    Member,
    Outbox,
    Progress,
    Round,
    RoundStage,
    Topic,
)
from tests.acquaintances import PROPOSED_AR, PROPOSED_FR, a_round, joins, two
from tests.town import EVE, Town


async def test_both_say_yes_and_get_each_others_contact(town: Town):
    amal, bilal = await two(town)
    await a_round(town)
    assert amal.heard() == [PROPOSED_FR]
    (letter,) = bilal.heard()
    assert letter.startswith(PROPOSED_AR)
    assert await amal.taps("✅ Oui, volontiers") == [
        "Bilal · Investisseur · Lyon\n\n✅ Vous avez dit oui. Je vous dirai la suite.\n"
        "[Pas maintenant]"
    ]
    await bilal.taps("✅ نعم، عرّفونا")
    await town.is_now(EVE)
    (told,) = amal.heard()
    assert told.startswith(
        "🎉 Tout le monde a dit oui\n\nBilal Naciri · Investisseur · Lyon\n"
        "Pour la joindre : +212 600 000 000\n\n"
        "• Vous cherchez un investissement ; Bilal peut vous l'apporter.\n"
    )
    assert "Pour commencer, par exemple : Bonjour Bilal, Jisr vient de nous" in told
    assert "للاتصال: amal-secret@example.org" in bilal.heard()[-1]


async def test_who_typed_no_contact_is_reached_here(town: Town):
    amal, bilal = await two(town)
    async with town.app.storage.begin() as db:
        await db.execute(update(MeetingProfile).values(contact=None))
    await a_round(town)
    await amal.taps("✅ Oui, volontiers")
    await bilal.taps("✅ نعم، عرّفونا")
    await town.is_now(EVE)
    assert "Pour lui écrire ici : Bilal Naciri\n" in amal.heard()[-1]


async def life_of_a_yes(town: Town, other_says):
    """All that Amal hears, and when, from the proposal on until a week later."""
    amal, bilal = await two(town)
    await a_round(town)
    bilal.heard()
    await amal.taps("✅ Oui, volontiers")
    if other_says:
        await bilal.taps(other_says[0])
        for further in other_says[1:]:
            await bilal.taps(further)
    heard = []
    for hours in (1, 12, 23, 24, 25, 40, 47, 48, 49, 72, 168):
        at = EVE + timedelta(hours=hours)
        await town.is_now(at)
        heard += [(hours, said) for said in amal.heard()]
    return heard


NUDGED = (
    "⏳ Il est encore temps de répondre à la mise en relation que je vous ai proposée.\n"
    "[✅ Oui, volontiers] [Pas maintenant]\n[🚫 Pas cette personne]"
)
ENDED = (
    "La mise en relation avec Bilal n'a pas abouti cette fois-ci. "
    "Je vous proposerai quelqu'un d'autre."
)


@pytest.mark.parametrize(
    "other_says",
    [None, ["ليس الآن"], ["🚫 ليس هذا الشخص", "أبدا Bilal"], ["🚫 ليس هذا الشخص", "ليس الآن فقط"]],
    ids=["silence", "not now", "never", "only not now"],
)
async def test_a_refusal_and_silence_look_and_sound_the_same(town: Town, other_says):
    if other_says and "Bilal" in other_says[-1]:
        other_says = [*other_says[:-1], "أبدا Amal"]
    assert await life_of_a_yes(town, other_says) == [(48, ENDED)]


async def test_silence_is_nudged_once(town: Town):
    amal, bilal = await two(town)
    await a_round(town)
    amal.heard()
    await town.is_now(EVE + timedelta(hours=24))
    assert amal.heard() == [NUDGED]
    await town.is_now(EVE + timedelta(hours=40))
    assert amal.heard() == []
    await town.is_now(EVE + timedelta(hours=48))
    # Neither had said yes: there is nothing to tell.
    assert amal.heard() == []
    assert (await bilal.taps("✅ نعم، عرّفونا"))[0] == "(لم يعد هذا الاقتراح قائما.)"


async def test_a_mind_may_change_while_it_stands(town: Town):
    amal, bilal = await two(town)
    await a_round(town)
    await amal.taps("Pas maintenant")
    await bilal.taps("✅ نعم، عرّفونا")
    bilal.heard()
    heard = await amal.taps("Oui, finalement")
    assert heard[0] == "(Tout le monde a dit oui !)"
    await town.is_now(EVE)
    assert "للاتصال: amal-secret@example.org" in bilal.heard()[-1]


async def test_whoever_left_since_their_yes_gives_no_contact(town: Town):
    amal, bilal = await two(town)
    await a_round(town)
    await amal.taps("✅ Oui, volontiers")
    async with town.app.storage.begin() as db:
        member = await town.member_of(db, amal)
        await meeting_profiles.leave(db, member, EVE, version="t", channel="telegram")
    await bilal.taps("✅ نعم، عرّفونا")
    await town.is_now(EVE + timedelta(hours=48))
    assert "amal-secret" not in "\n".join(bilal.heard())


async def test_never_this_person_holds_for_ever(town: Town):
    amal, _bilal = await two(town)
    await a_round(town)
    await amal.taps("🚫 Pas cette personne")
    assert await amal.taps("Jamais Bilal") == [
        "Bilal · Investisseur · Lyon\n\n"
        "Cette personne ne vous sera plus jamais proposée. Personne n'en est informé."
    ]
    await town.is_now(EVE + timedelta(hours=48))
    await a_round(town, EVE + timedelta(days=7))
    async with town.app.storage.read() as db:
        assert len((await db.scalars(select(Introduction))).all()) == 1
        assert len((await db.scalars(select(MeetingBlock))).all()) == 1


async def test_those_freed_are_drawn_again_the_same_day(town: Town):
    amal, _bilal = await two(town)
    chloe, dina = await town.member("Chloé", "fr"), await town.member("Dina", "fr")
    await joins(town, chloe, offers=[Topic.INVESTMENT], seeks=[Topic.MENTORING])
    await joins(town, dina, offers=[Topic.MENTORING], seeks=[Topic.JOB])
    await a_round(town)
    async with town.app.storage.begin() as db:
        rows = (await db.scalars(select(IntroductionSide))).all()
        first = {}
        for side in rows:
            first.setdefault(side.introduction_id, []).append(side.member_id)
        # One of each says yes, the other nothing.
        for people in first.values():
            member = await db.get_one(Member, people[0])
            (one,) = [k for k, v in first.items() if v == people]
            await introductions.answer(db, member, one, Answer.YES, EVE)
    later = EVE + timedelta(hours=48)
    await town.is_now(later)
    await town.is_now(later)
    async with town.app.storage.read() as db:
        again = await db.scalar(select(Round).where(Round.follows_id.is_not(None)))
        assert (again.stage, again.pool, again.made_at) == (RoundStage.OPEN, 2, later)
        assert [m for m in amal.heard() if "Une personne à rencontrer" in m]


async def test_three_silent_rounds_are_a_break_with_a_notice(town: Town):
    amal, _bilal = await two(town)
    for week in range(3):
        at = EVE + timedelta(days=7 * week)
        await a_round(town, at)
        await town.is_now(at + timedelta(hours=48))
    assert amal.heard()[-1] == (
        "⏸ Vous n'avez pas répondu à mes dernières propositions : je ne vous propose plus personne "
        "pour l'instant. Revenez quand vous voulez.\n[▶️ Reprendre]"
    )
    await a_round(town, EVE + timedelta(days=21))
    assert amal.heard() == []
    (card,) = await amal.taps("▶️ Reprendre")
    assert "✅ Vous participez" in card


async def test_nothing_tells_a_contact_or_a_refusal_before_all_said_yes(town: Town):
    """A canary in every contact; every letter that ever left, and every screen, is searched."""
    amal, bilal = await two(town)
    people = [amal, bilal]
    for number in range(4):
        other = await town.member(f"Person{number} Canary{number}", "fr")
        await joins(
            town,
            other,
            offers=[Topic.INVESTMENT],
            seeks=[Topic.TRADE],
            contact=f"canary-{number}@example.org",
        )
        people.append(other)
    await a_round(town)
    async with town.app.storage.begin() as db:
        ones = await introductions_of(db)
        for one, sides in ones.items():
            for side in sides:
                member = await db.get_one(Member, side.member_id)
                given = (Answer.YES, Answer.NOT_NOW, Answer.NEVER)[(one + side.place) % 3]
                if side.place and (one % 2):
                    continue
                await introductions.answer(db, member, one, given, EVE)
    for hours in (24, 48, 49):
        await town.is_now(EVE + timedelta(hours=hours))
    async with town.app.storage.read() as db:
        agreed = await db.scalars(
            select(Introduction.id).where(Introduction.progress == Progress.AGREED)
        )
        assert agreed.all() == []
        letters = list(await db.scalars(select(Outbox.sent_text)))
    screens = [m.text for p in people for m in p.person.chat.messages]
    said = "\n".join(filter(None, [*letters, *screens]))
    assert "Une personne à rencontrer" in said
    for canary in ("@example.org", "+212", "tg://", "Canary", "Idrissi", "Naciri"):
        assert canary not in said
    for refusal in ("refus", "décliné", "a dit non", "declined", "رفض "):
        assert refusal not in said


async def introductions_of(db):
    found = {}
    for side in await db.scalars(
        select(IntroductionSide).order_by(IntroductionSide.introduction_id, IntroductionSide.place)
    ):
        found.setdefault(side.introduction_id, []).append(side)
    return found


async def test_a_trio_names_whom_never_means(town: Town):
    amal, bilal = await two(town)
    chloe = await town.member("Chloé", "fr")
    await joins(town, chloe, offers=[Topic.INVESTMENT], speaks=["ar"])
    await a_round(town)
    (letter,) = amal.heard()
    assert "Bilal · Investisseur · Lyon\n" in letter
    assert "Chloé · Investisseur · Lyon\n" in letter
    (asked,) = await amal.taps("🚫 Pas cette personne")
    assert asked.endswith("[Jamais Bilal]\n[Jamais Chloé]\n[Seulement pas maintenant]")
    await amal.taps("Jamais Chloé")
    async with town.app.storage.read() as db:
        blocks = (await db.scalars(select(MeetingBlock.other_id))).all()
        assert blocks == [(await town.member_of(db, chloe)).id]
    assert bilal.heard()
