"""The way out and the way back, in the words that people write; and that nothing leaves after it."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from handlers.correspondence import Kind
from handlers.stop import Again
from handlers.topics import LETTERS, SWITCHES
from storage import outbox, purposes
from storage.database import Storage
from storage.outbox import Start
from storage.tables import Consent, Fate, Member, Outbox, Purpose
from tests.post_office import KINDS, NOON, PostOffice, notes, open_post_office
from tests.sending import ready, sends, staff
from tests.town import Resident, Town, drawn

PAGE = (
    "What I write to you\n\n✅ comes, ▫️ does not. A tap changes it, and counts at once.\n"
    "[✅ Announcements of the team]\n[✅ New events that suit you]\n"
    "[✅ Introductions to other members]\n[✅ Digests]\n[✅ Reminders of your seats]\n"
    "[✅ Your entry in the directory]\n[🔕 Stop all but the reminders]\n[‹ Settings]"
)
ENDED = (
    PAGE.replace("✅ Ann", "▫️ Ann")
    .replace("✅ New", "▫️ New")
    .replace("✅ Int", "▫️ Int")
    .replace("✅ Dig", "▫️ Dig")
    .replace("[🔕 Stop all but the reminders]\n", "")
)
STOPPED = (
    "🔕 Stopped: Announcements of the team, New events that suit you, Introductions to other "
    "members, Digests\nReminders of the seats you hold still come, until you end them too.\n"
    "If you change your mind: /start.\n\n"
)


async def agreed(town: Town, resident: Resident) -> set[Purpose]:
    async with town.app.storage.read() as db:
        return set(await purposes.agreed_to(db, await town.member_of(db, resident)))


@pytest.mark.parametrize(
    "word",
    [
        *("/stop", "/STOP", "STOP", "Stop!", "stop all", "STOP PUB", "StopPub", "Unsubscribe."),
        *("arrêt", "ARRET", "Arrêtez !", "désabonner", "me désinscrire", "🛑 stop"),
        *("توقف", "قف", "قِفْ!", "إلغاء الاشتراك", "الغاء الإشتراك", "أوقفوا", "اوقفوا", "إيقـــاف"),
    ],
)
async def test_the_words_that_people_write_end_it_all(town: Town, word: str):
    emma = await town.member("Emma", "en")
    assert await emma.says(word) == [STOPPED + ENDED]
    assert await agreed(town, emma) == set(Purpose) - set(LETTERS)


@pytest.mark.parametrize(
    "sentence",
    [
        *("Does the bus stop there?", "nonstop", "stop le racisme", "je ne peux pas m'arrêter"),
        *("arrêt de bus", "لا تتوقف", "موقف السيارات", "Unsubscribe him"),
    ],
)
async def test_the_same_word_inside_a_sentence_ends_nothing(town: Town, sentence: str):
    emma = await town.member("Emma", "en")
    (told,) = await emma.says(sentence)
    assert told.startswith("I didn't understand that.")
    await emma.after(emma.person.forwards("STOP", "A friend"))
    assert await agreed(town, emma) == set(Purpose)


async def test_it_is_confirmed_in_french_and_arabic(town: Town):
    chloe, bilal = await town.member("Chloé", "fr"), await town.member("Bilal", "ar")
    assert await chloe.says("Stop pub") == [
        "🔕 C'est arrêté : Annonces de l'équipe, Nouveaux événements pour vous, Mises en relation "
        "avec d'autres membres, Récapitulatifs\nLes rappels de vos places arrivent encore, tant "
        "que vous ne les arrêtez pas aussi.\nSi vous changez d'avis : /start.\n\n"
        "Ce que je vous écris\n\n✅ arrive, ▫️ n'arrive pas. Un toucher suffit pour changer, avec "
        "effet immédiat.\n[▫️ Annonces de l'équipe]\n[▫️ Nouveaux événements pour vous]\n"
        "[▫️ Mises en relation avec d'autres membres]\n[▫️ Récapitulatifs]\n"
        "[✅ Rappels de vos places]\n[✅ Votre fiche dans l'annuaire]\n[‹ Réglages]"
    ]
    (told,) = await bilal.says("توقف")
    assert told.startswith(
        "🔕 تم الإيقاف: إعلانات فريق العمل، فعاليات جديدة تناسبكم، التعارف مع أعضاء آخرين، الملخصات\n"
        "ما زالت تصلكم تذكيرات مقاعدكم، ما لم توقفوها أيضا.\nإن غيرتم رأيكم: /start.\n\n"
    )


async def test_each_topic_is_switched_by_itself_and_recorded(town: Town):
    emma = await town.member("Emma", "en")
    await emma.says("/settings")
    assert await emma.taps("🔔 What I write to you") == [PAGE]
    without = PAGE.replace("✅ New", "▫️ New")
    assert await emma.taps("✅ New events that suit you") == [without]
    card = emma.last
    assert await emma.taps("▫️ New events that suit you") == [PAGE]
    # An old button does what it says, once.
    assert await emma.after(emma.person.taps_data("switch:new_events:0", card)) == [without]
    async with town.app.storage.read() as db:
        rows = await db.scalars(
            select(Consent).where(Consent.purpose == "new_events").order_by(Consent.id)
        )
        told = [(row.given, row.language, row.channel, row.version) for row in rows]
    version = town.app.terms.version
    assert told == [(given, "en", "telegram", version) for given in (True, False, True, False)]


async def test_the_button_ends_its_topic_alone_and_leaves_the_letter_as_it_is(town: Town):
    author, amal = await staff(town), await town.member("Amal", "fr")
    await ready(town, author)
    await ready(town, author)
    await sends(town, seconds=1)
    first, second = amal.heard()
    assert first == second
    letter = amal.last
    (told,) = await amal.taps("🔕 Ne plus en recevoir")
    assert told.startswith("🔕 C'est arrêté : Annonces de l'équipe\n")
    assert drawn(letter) == second
    assert await agreed(town, amal) == set(Purpose) - {Purpose.ANNOUNCEMENTS}
    # A second tap, on the first of them, finds nothing more to end.
    (told,) = await amal.after(amal.person.taps_data("stop:announcements", letter))
    assert told.startswith("🔕 Il n'y a plus rien à arrêter.\n")
    await ready(town, author)
    await sends(town, seconds=5)
    assert amal.heard() == []


async def test_reminders_end_only_by_a_choice_of_their_own(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    await town.seat(emma, "panel-2")
    await emma.says("STOP")
    await town.is_now(datetime(2018, 7, 3, 9, 30, tzinfo=UTC))
    (reminder,) = emma.heard()
    assert "Panel 2" in reminder
    await emma.says("/stop")
    (page,) = await emma.taps("✅ Reminders of your seats")
    assert "[▫️ Reminders of your seats]" in page
    (home,) = await emma.taps("‹ Settings")
    assert "\nReminders: none\n" in home
    await town.passes(days=2)
    assert emma.heard() == []
    async with town.app.storage.read() as db:
        reasons = await db.scalars(select(Outbox.reason).where(Outbox.state == Fate.VOID))
        assert set(reasons) == {"opted out"}
    # Whoever asks for a lead again wants reminders again.
    await emma.says("/settings")
    await emma.taps("⏰ Reminders")
    await emma.taps("▫️ 1 hour")
    assert Purpose.REMINDERS in await agreed(town, emma)


async def test_start_comes_back_by_a_tap_and_never_by_itself(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    assert len(await emma.says("/start")) == 1
    await emma.says("/settings")
    await emma.taps("🔔 What I write to you")
    await emma.taps("✅ Digests")
    await emma.taps("✅ Announcements of the team")
    stopped = await agreed(town, emma)
    _, offer = await emma.says("/start")
    assert offer == (
        "You had stopped these: Announcements of the team, Digests. Shall I send them again?\n"
        "[Yes, send them again]\n[Let me choose]"
    )
    # A link to an event is no word about this.
    assert len(await emma.says("/start rabat-2018")) == 1
    assert await agreed(town, emma) == stopped
    assert await emma.taps("Yes, send them again") == [
        "With pleasure. You receive again: Announcements of the team, Digests. "
        "/stop ends it at any time."
    ]
    assert await agreed(town, emma) == set(Purpose)
    assert len(await emma.says("/start")) == 1


async def test_what_was_never_agreed_to_is_not_offered_as_stopped(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en", agrees=(Purpose.EVENTS, Purpose.REMINDERS))
    assert len(await emma.says("/start")) == 1
    (told,) = await emma.says("stop")
    assert told.startswith(
        "🔕 There is nothing left to stop.\n"
        "Reminders of the seats you hold still come, until you end them too.\n\n"
    )
    async with town.app.storage.read() as db:
        assert await db.scalar(select(func.count()).where(~Consent.given)) == 0


async def test_the_open_question_waits(town: Town):
    emma = await town.member("Emma", "en")
    await emma.says("/settings")
    await emma.taps("👤 Profile")
    await emma.taps("✎ City")
    assert await emma.says("STOP") == [STOPPED + ENDED]
    assert (await emma.says("Grenoble"))[0].startswith("Noted.\n\nYour profile\n\nName: Emma\n")


async def test_a_stranger_is_heard_before_a_language_is_chosen(town: Town):
    amal = town.stranger("Amal", "en")
    nothing = (
        "🔕 Very well. I write to you only in answer to what you write: there is nothing to stop."
    )
    assert await amal.says("STOP") == [nothing]
    await amal.says("/start")
    await amal.taps("English")
    assert await amal.says("unsubscribe") == [
        f"{nothing}\n\nLet's stop here for now. Your answers so far are kept.\n"
        "[Go on]\n[Erase my answers]"
    ]
    assert (await amal.says("Amal Alaoui"))[0].startswith("Question 2 of 7\n")


async def test_in_a_group_it_is_nobodys_business(town: Town):
    emma = await town.member("Emma", "en")
    group = town.sim.group("Diaspora", [emma.person])
    for said in ("STOP", "/stop", "توقف"):
        assert await emma.after(emma.person.says(said, group)) == []
    assert [m.text for m in group.chat.messages if m.outgoing] == []
    assert await agreed(town, emma) == set(Purpose)


def test_the_way_back_fits_into_a_button():
    assert len(Again(topics=".".join(SWITCHES[:5])).pack().encode()) <= 64


# --- nothing leaves after it ------------------------------------------------------------------

PURPOSEFUL = {
    **KINDS,
    "news": Kind(notes, resend=True, purpose=Purpose.ANNOUNCEMENTS),
}


async def _stop(storage: Storage, id_: int) -> None:
    async with storage.begin() as db:
        member = await db.get_one(Member, id_)
        await purposes.withdraw(db, member, LETTERS, NOON, version="1", channel="telegram")


async def _agreeing(post: PostOffice, address: str) -> int:
    id_ = await post.member(address)
    async with post.storage.begin() as db:
        member = await db.get_one(Member, id_)
        await purposes.agree(db, member, LETTERS, NOON, version="1", channel="telegram")
    return int(id_)


async def test_what_was_queued_before_the_stop_is_not_sent_after_it(storage, monkeypatch):
    async with open_post_office(storage) as post:
        monkeypatch.setattr(post.delivery, "_kinds", PURPOSEFUL)
        amal, bilal = await _agreeing(post, "1"), await _agreeing(post, "2")
        for member in (amal, bilal):
            await post.post(f"news {member}", member, kind="news")
            await post.post(f"a seat of {member}", member)
        await _stop(storage, amal)
        while await post.delivery.deliver():
            pass
        assert sorted(post.messenger.heard) == [
            ("1", f"en: a seat of {amal}"),
            ("2", f"en: a seat of {bilal}"),
            ("2", f"en: news {bilal}"),
        ]
        assert await post.rows("state", "reason") == [
            (f"news {amal}", Fate.VOID, "opted out"),
            (f"a seat of {amal}", Fate.SENT, None),
            (f"news {bilal}", Fate.SENT, None),
            (f"a seat of {bilal}", Fate.SENT, None),
        ]


async def _willing(db: AsyncSession) -> list[int]:
    """Whom delivery would write to just now, in this transaction."""
    batch = await outbox.take_due(db, NOON, 10, ["telegram"])
    return [row.member.id for row in await purposes.willing(db, batch, Purpose.ANNOUNCEMENTS)]


async def test_a_stop_waits_for_the_letter_that_is_being_started(storage: Storage):
    """Who is told that it has stopped is sent nothing that was started later."""
    async with open_post_office(storage) as post:
        amal = await _agreeing(post, "1")
        await post.post("news", amal, kind="news")
        async with storage.begin() as db:
            assert await _willing(db) == [amal]
            stopping = asyncio.create_task(_stop(storage, amal))
            done, _ = await asyncio.wait({stopping}, timeout=0.3)
            assert not done
            (row,) = await db.scalars(select(Outbox))
            await outbox.start(db, "an engine", [Start(row.id, "telegram", "1", "news")])
        await stopping
        assert await post.rows("state") == [("news", Fate.STARTED)]


async def test_a_letter_does_not_start_while_its_reader_is_stopping(storage: Storage):
    async with open_post_office(storage) as post:
        amal = await _agreeing(post, "1")
        await post.post("news", amal, kind="news")

        async def look() -> list[int]:
            async with storage.begin() as db:
                return await _willing(db)

        async with storage.begin() as db:
            member = await db.get_one(Member, amal)
            await purposes.withdraw(db, member, LETTERS, NOON, version="1", channel="telegram")
            await db.flush()
            looking = asyncio.create_task(look())
            if not storage.is_sqlite:
                # There the other transaction has its turn before this one ends.
                assert await looking == []
        assert await looking == []


async def test_what_was_agreed_to_cannot_be_rewritten(storage: Storage):
    async with open_post_office(storage) as post:
        amal = await _agreeing(post, "1")
        await _stop(storage, amal)
    with pytest.raises(DBAPIError, match="consent is only appended to"):
        async with storage.begin() as db:
            await db.execute(update(Consent).values(given=True))
    async with storage.begin() as db:
        assert await db.scalar(select(func.count()).where(~Consent.given)) == len(LETTERS)
        # Who is forgotten takes their history with them.
        await db.execute(delete(Member).where(Member.id == amal))
        assert await db.scalar(select(func.count()).select_from(Consent)) == 0
