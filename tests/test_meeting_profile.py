"""The profile for meeting: opting in by taps, and changing one's mind, in three languages."""

import pytest
from sqlalchemy import select

from storage import meeting_profiles, purposes
from storage.tables import Consent, Direction, Purpose, Topic
from tests.town import Town

NOT_YET = set(Purpose) - {Purpose.INTRODUCTIONS}


async def wishes(town: Town, resident):
    async with town.app.storage.read() as db:
        return await meeting_profiles.wishes_of(db, await town.member_of(db, resident))


async def test_taking_part_takes_a_few_taps(town: Town):
    chloe = await town.member("Chloé Martin", "fr", agrees=NOT_YET)
    (invitation,) = await chloe.says("/meet")
    assert invitation.startswith("Mises en relation\nJe présente l'une à l'autre des personnes")
    assert invitation.endswith("\n[Commençons]")
    assert await chloe.taps("Commençons") == [
        "Qu'offrez-vous aux personnes que vous rencontrez ? Touchez autant de réponses que vous "
        "voulez.\n"
        "[▫️ Du mentorat] [▫️ Un partenariat]\n"
        "[▫️ Un investissement] [▫️ Une aide au recrutement]\n"
        "[▫️ Un emploi ou un stage] [▫️ Mon expertise]\n"
        "[▫️ Formation] [▫️ Un accès à un marché]\n"
        "[▫️ Une recherche en commun] [▫️ Des produits, des services ou des commandes]\n"
        "[Suite ›]"
    ]
    await chloe.taps("▫️ Du mentorat")
    await chloe.taps("Suite ›")
    await chloe.taps("▫️ Un investisseur")
    (languages,) = await chloe.taps("Suite ›")
    assert languages == (
        "Quelles langues parlez-vous avec les personnes que vous rencontrez ?\n"
        "[▫️ Arabe] [✅ Français] [▫️ Anglais]\n"
        "[▫️ Amazighe] [▫️ Espagnol] [▫️ Néerlandais]\n"
        "[▫️ Allemand] [▫️ Italien] [▫️ Portugais]\n[C'est tout]"
    )
    await chloe.taps("▫️ Arabe")
    (card,) = await chloe.taps("C'est tout")
    assert card == (
        "Mises en relation\nVous ne participez pas encore.\n\n"
        "J'offre : Du mentorat\nJe cherche : Un investisseur\nThèmes : –\n"
        "Langues : Arabe, Français\nÀ propos de moi : –\nPour me joindre : cette messagerie\n\n"
        "Les autres lisent votre prénom, votre ville, votre profession, cette phrase et la raison "
        "de vous rencontrer. Ils ne reçoivent vos coordonnées que lorsque tout le monde a dit oui."
        "\n[✅ Participer]\n[✎ J'offre] [✎ Je cherche]\n[✎ Langues] [✎ Thèmes]\n"
        "[✎ Une phrase sur moi] [✎ Mes coordonnées]\n[🚫 Jamais cet organisme]\n"
        "[Quitter les mises en relation]"
    )
    assert not (await wishes(town, chloe)).joined
    told, card = await chloe.taps("✅ Participer")
    assert told == "(Vous participez. Je vous écrirai dès qu'il y aura quelqu'un.)"
    assert "✅ Vous participez : je vous écrirai dès qu'il y aura quelqu'un.\n" in card
    said = await wishes(town, chloe)
    assert (said.joined, said.offers, said.seeks, said.languages) == (
        True,
        {Topic.MENTORING},
        {Topic.INVESTMENT},
        {"fr", "ar"},
    )


@pytest.mark.parametrize(
    ("language", "begin", "first", "card"),
    [
        (
            "ar",
            "لنبدأ",
            "ماذا تقدمون لمن تلتقون بهم؟ يمكنكم اختيار أكثر من جواب.",
            "✅ أنتم مشاركون: سأكتب إليكم حين أجد شخصا مناسبا.",
        ),
        (
            "en",
            "Let's begin",
            "What do you offer to those you meet? Tap as many as you like.",
            "✅ You take part: I'll write to you when there is somebody.",
        ),
    ],
)
async def test_it_speaks_every_language(town: Town, language, begin, first, card):
    member = await town.member("Amal", language)
    await member.says("/meet")
    (asked,) = await member.taps(begin)
    assert asked.startswith(first)
    assert card in (await member.says("/meet"))[0]


async def test_a_line_and_a_contact_are_optional_and_can_be_taken_back(town: Town):
    amal = await town.member("Amal", "en")
    await amal.says("/meet")
    await amal.taps("Let's begin")
    await amal.says("/meet")
    await amal.taps("✎ A line about me")
    (long,) = await amal.says("x" * 161)
    assert long.startswith("That is too long: please keep it under 160 characters.")
    (card,) = await amal.says("Solar pumps for <b>small</b> farms")
    assert "About me: Solar pumps for <b>small</b> farms\n" in card
    await amal.taps("✎ My contact")
    (card,) = await amal.says("amal@example.org")
    assert "To reach me: amal@example.org\n" in card
    await amal.taps("✎ My contact")
    (card,) = await amal.taps("This chat")
    assert "To reach me: this chat\n" in card
    await amal.taps("✎ A line about me")
    (card,) = await amal.says("/cancel")
    assert card.startswith("Nothing is changed.\n\nIntroductions\n")
    await amal.taps("✎ A line about me")
    (card,) = await amal.taps("No line")
    assert "About me: –\n" in card


async def test_one_language_stays(town: Town):
    amal = await town.member("Amal", "en")
    await amal.says("/meet")
    await amal.taps("Let's begin")
    await amal.says("/meet")
    await amal.taps("✎ Languages")
    assert await amal.taps("✅ English") == ["(Please keep at least one language.)"]


async def test_never_this_organisation_is_asked_back_and_final(town: Town):
    amal = await town.member("Amal", "en")
    await amal.says("/meet")
    await amal.taps("Let's begin")
    await amal.says("/meet")
    await amal.taps("🚫 Never this organisation")
    assert await amal.says("Société Générale") == [
        "Never anybody of Société Générale? This can't be undone.\n[Yes, never] [‹ Back]"
    ]
    (card,) = await amal.taps("Yes, never")
    assert card.startswith("Noted. Nobody is told.\n\n")
    assert "Never: Société Générale\n" in card


async def test_a_break_is_taken_and_ended(town: Town):
    amal = await town.member("Amal", "en")
    await amal.says("/meet")
    await amal.taps("Let's begin")
    await amal.says("/meet")
    (card,) = await amal.taps("⏸ Take a break")
    assert "⏸ You are taking a break: nobody is proposed to you.\n" in card
    (card,) = await amal.taps("▶️ Come back")
    assert "✅ You take part" in card


async def test_leaving_deletes_all_but_the_blocks(town: Town):
    amal = await town.member("Amal", "en")
    await amal.says("/meet")
    await amal.taps("Let's begin")
    await amal.taps("▫️ My expertise")
    async with town.app.storage.begin() as db:
        member = await town.member_of(db, amal)
        await meeting_profiles.never_organisation(db, member, "ACME", town.clock.now())
    await amal.says("/meet")
    await amal.taps("Leave introductions")
    assert await amal.taps("Yes, leave") == [
        "You take no part in introductions any more. /meet brings you back."
    ]
    assert await wishes(town, amal) is None
    async with town.app.storage.read() as db:
        member = await town.member_of(db, amal)
        assert Purpose.INTRODUCTIONS not in await purposes.agreed_to(db, member)
        assert await meeting_profiles.barred(db, member) == (0, ["ACME"])
        history = await db.scalars(
            select(Consent.given)
            .where(Consent.member_id == member.id, Consent.purpose == "introductions")
            .order_by(Consent.id)
        )
        assert list(history) == [True, False]
    await amal.says("/meet")
    await amal.taps("Let's begin")
    assert (await wishes(town, amal)).of(Direction.OFFERS) == frozenset()


async def test_old_buttons_of_who_left_show_the_invitation(town: Town):
    amal = await town.member("Amal", "en")
    await amal.says("/meet")
    await amal.taps("Let's begin")
    old = amal.last
    async with town.app.storage.begin() as db:
        member = await town.member_of(db, amal)
        await meeting_profiles.leave(db, member, town.clock.now(), version="t", channel="telegram")
    (card,) = await amal.taps("▫️ My expertise", old)
    assert card.endswith("[Let's begin]")


async def test_a_stranger_registers_first(town: Town):
    stranger = town.stranger("Nour", "en")
    await stranger.says("/start")
    heard = await stranger.says("/meet")
    assert "Introductions" not in heard[-1]
