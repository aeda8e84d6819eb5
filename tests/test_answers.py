"""Answers under an announcement: tapped, kept, changed, counted; and only by its recipients."""

from typing import Any

from sqlalchemy import select

from handlers import answers as buttons
from handlers.letters import Attachment, Letter
from storage import answers, audiences
from storage.tables import Announcement, Member, Recipient, Stage
from tests.sending import ready, sends, staff
from tests.town import Resident, Town

PICTURE = Attachment("poster.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 32)
COMING = [
    {"fr": "Je viens", "ar": "سأحضر", "en": "I’ll come"},
    {"fr": "Je ne peux pas", "ar": "لا أستطيع", "en": "I can’t"},
]


async def asked(town: Town, *recipients: Resident, **given: Any) -> Announcement:
    """An announcement with two answers, as it stands once these have received it."""
    now = town.clock.now()
    async with town.app.storage.begin() as db:
        announcement = Announcement(
            created_at=now, edited_at=now, answers=COMING, **{"stage": Stage.SENT, **given}
        )
        db.add(announcement)
        await db.flush()
        for one in recipients:
            member = await town.member_of(db, one)
            language = member.language or "fr"
            about = {"announcement_id": announcement.id, "member_id": member.id}
            db.add(Recipient(**about, language=language, outcome="sent", settled_at=now))
    return announcement


async def shown(town: Town, announcement: Announcement, *readers: Resident) -> None:
    """Put its buttons on the screens of these."""
    for one in readers:
        words = town.app.catalogs[one.person.language_code]
        letter = Letter("Vœux au consulat", buttons.taps(announcement, words))
        await town.app.bulk.send(letter, str(one.person.id))
        assert one.heard()


async def counted(town: Town, announcement: Announcement) -> list[int]:
    """How many gave each answer."""
    async with town.app.storage.read() as db:
        return await answers.counts(db, announcement)


async def test_an_answer_is_kept_by_a_tap_marked_and_may_be_changed(town: Town) -> None:
    amal, bilal = await town.member("Amal", "fr"), await town.member("Bilal", "ar")
    vows = await asked(town, amal, bilal)
    await shown(town, vows, amal, bilal)

    assert await amal.taps("Je viens") == [
        "(Merci. Votre réponse : Je viens)",
        "Vœux au consulat\n[✓ Je viens] [Je ne peux pas]",
    ]
    assert await bilal.taps("سأحضر") == [
        "(شكراً لكم. جوابكم: سأحضر)",
        "Vœux au consulat\n[✓ سأحضر] [لا أستطيع]",
    ]
    assert await counted(town, vows) == [2, 0]

    assert await amal.taps("Je ne peux pas") == [
        "(Merci. Votre réponse : Je ne peux pas)",
        "Vœux au consulat\n[Je viens] [✓ Je ne peux pas]",
    ]
    assert await counted(town, vows) == [1, 1]
    # The same once more changes nothing, and says so.
    assert await amal.taps("✓ Je ne peux pas") == ["(Merci. Votre réponse : Je ne peux pas)"]
    assert await counted(town, vows) == [1, 1]


async def test_a_stopped_announcement_is_still_answered_by_those_whom_it_reached(
    town: Town,
) -> None:
    amal = await town.member("Amal", "en")
    vows = await asked(town, amal, stage=Stage.STOPPED)
    await shown(town, vows, amal)
    assert await amal.taps("I’ll come") == [
        "(Thank you. Your answer: I’ll come)",
        "Vœux au consulat\n[✓ I’ll come] [I can’t]",
    ]
    assert await counted(town, vows) == [1, 0]


async def test_nobody_else_answers(town: Town) -> None:
    amal, other = await town.member("Amal", "fr"), await town.member("Omar", "fr")
    vows = await asked(town, amal)
    await shown(town, vows, other)
    assert await other.taps("Je viens") == [
        "(Seules les personnes qui ont reçu cette annonce peuvent y répondre.)"
    ]
    assert await counted(town, vows) == [0, 0]


async def test_an_answer_that_never_was_is_refused_kindly(town: Town) -> None:
    amal = await town.member("Amal", "fr")
    vows = await asked(town, amal)
    await shown(town, vows, amal)
    async with town.app.storage.begin() as db:
        (await db.get_one(Announcement, vows.id)).answers = None
    assert await amal.taps("Je viens") == ["(Cette question n’existe plus.)"]


async def test_a_picture_keeps_its_caption_when_the_mark_moves(town: Town) -> None:
    amal = await town.member("Amal", "fr")
    vows = await asked(town, amal)
    words = town.app.catalogs["fr"]
    poster = Letter("L’affiche", buttons.taps(vows, words), picture=PICTURE)
    await town.app.bulk.send(poster, str(amal.person.id))
    amal.heard()
    assert await amal.taps("Je viens") == [
        "(Merci. Votre réponse : Je viens)",
        "L’affiche\n[✓ Je viens] [Je ne peux pas]",
    ]
    assert amal.last.photo is not None


async def test_from_the_sending_to_the_report(town: Town) -> None:
    emma = await staff(town)
    amal, bilal = await town.member("Amal", "fr"), await town.member("Bilal", "ar")
    vows = await ready(town, emma, answers=COMING)
    await sends(town, seconds=1)
    await sends(town, seconds=5)
    assert amal.heard() == [
        "Journée portes ouvertes\nLe consulat vous accueille samedi.\n\n"
        "Pour ne plus en recevoir : /stop\n"
        "[Je viens] [Je ne peux pas]\n[🔕 Ne plus en recevoir]"
    ]
    # The mark moves, and all else stays: the words, and the way out.
    assert await amal.taps("Je viens") == [
        "(Merci. Votre réponse : Je viens)",
        "Journée portes ouvertes\nLe consulat vous accueille samedi.\n\n"
        "Pour ne plus en recevoir : /stop\n"
        "[✓ Je viens] [Je ne peux pas]\n[🔕 Ne plus en recevoir]",
    ]
    await bilal.taps("لا أستطيع")
    emma.heard()
    [report] = await emma.taps("📊 Report")
    assert report.splitlines()[2:4] == ["Recipients: 2", "📬 Delivered: 2 (100%)"]
    assert report.splitlines()[-7:] == [
        "Answers",
        "I’ll come: 1",
        "I can’t: 1",
        "No answer: 0",
        "[🖼 Picture] [📄 Figures (Excel)]",
        "[📄 Answers (Excel)] [📄 Answers (CSV)]",
        "[🔄 Refresh]",
    ]
    async with town.app.storage.read() as db:
        said_yes = audiences.condition({"answered": vows, "answers": [0]})
        assert (await db.scalars(select(Member.name).where(said_yes))).all() == ["Amal"]
