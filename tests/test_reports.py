"""Reports: numbers that add up at any moment, for those who may see them, in three languages."""

from contextlib import suppress
from datetime import timedelta
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from openpyxl import load_workbook
from sqlalchemy import select

from bot import pictures
from handlers import report_papers, reports
from handlers.letters import Letter
from storage import members, outbox
from storage import reports as rules
from storage.database import Storage
from storage.tables import (
    Announcement,
    AnnouncementText,
    Audit,
    Fate,
    Member,
    Outbox,
    Post,
    Recipient,
    Role,
    Stage,
)
from tests.town import EVE, Resident, Town

COMING = [
    {"fr": "Je viens", "ar": "سأحضر", "en": "I’ll come"},
    {"fr": "Je ne peux pas", "ar": "لا أستطيع", "en": "I can’t"},
]
WORDS = {
    "fr": "Cérémonie des vœux au consulat",
    "ar": "حفل التهاني في القنصلية",
    "en": "Greetings at the consulate",
}
# What may have become of a letter: settled, known to the outbox alone, or not begun.
FATES = [
    ("sent", None, True),
    ("failed", "blocked", True),
    ("void", "opted out", True),
    ("void", "forgotten", True),
    ("unknown", "the engine died", True),
    (None, None, False),
    (Fate.QUEUED, None, False),
    (Fate.STARTED, None, False),
    (Fate.SENT, None, False),
    (Fate.FAILED, "chat not found", False),
    (Fate.VOID, "opted out", False),
    (Fate.VOID, "paused", False),
    (Fate.UNKNOWN, "the engine died", False),
]


async def announced(db: Any, author: Member | None, **values: Any) -> Announcement:
    """An announcement in three languages, with two answers and a link."""
    announcement = Announcement(
        author_id=author and author.id,
        stage=Stage.SENT,
        created_at=EVE,
        edited_at=EVE,
        fallback="fr",
        answers=COMING,
    )
    for name, value in values.items():
        setattr(announcement, name, value)
    db.add(announcement)
    await db.flush()
    for language, text in WORDS.items():
        db.add(
            AnnouncementText(
                announcement_id=announcement.id,
                language=language,
                text=f"<b>{text}</b>\n…",
                link_label="+",
                link_url="https://example.org/",
            )
        )
    return announcement


async def received(
    db: Any,
    announcement: Announcement,
    number: int,
    fate: tuple[str | None, str | None, bool],
    language: str = "fr",
    **values: Any,
) -> Recipient:
    """Somebody who is one of its recipients, and what became of their letter."""
    member = await members.meet(db, "telegram", f"10{number}", EVE)
    member.name, member.city = f"Reader {number}", "Lyon"
    state, reason, settled = fate
    at = EVE + timedelta(minutes=number)
    row = Recipient(announcement_id=announcement.id, member_id=member.id, language=language)
    if state is not None:
        outbox.post(
            db,
            key=f"announcement:{announcement.id}:{member.id}",
            member_id=member.id,
            kind="announcement",
            about={},
            due=EVE,
        )
        await db.flush()
        posted = await db.scalar(select(Outbox).where(Outbox.member_id == member.id))
        posted.state, posted.reason = Fate(state), reason
        posted.channel = None if state in ("queued", "void") else "telegram"
        posted.settled_at = None if state in ("queued", "started") else at
    if settled:
        row.outcome, row.reason, row.settled_at = state, reason, at
    for name, value in values.items():
        setattr(row, name, value)
    db.add(row)
    await db.flush()
    return row


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    fates=some.lists(
        some.tuples(some.sampled_from(FATES), some.sampled_from(sorted(WORDS))), max_size=25
    )
)
async def test_the_numbers_add_up_whatever_became_of_the_letters(
    storage: Storage, fates: list[Any]
) -> None:
    class Enough(Exception):  # noqa: N818  # no error at all
        pass

    with suppress(Enough):
        async with storage.begin() as db:
            announcement = await announced(db, None, stage=Stage.SENDING)
            for number, (fate, language) in enumerate(fates):
                await received(db, announcement, number, fate, language)
            report = await rules.of(db, announcement)
            assert report.total.all == len(fates)
            for counted in (report.languages, report.channels):
                assert sum(counts.all for counts in counted.values()) == len(fates)
                for name in ("delivered", "failed", "opted_out", "dropped", "unknown", "waiting"):
                    assert sum(getattr(one, name) for one in counted.values()) == getattr(
                        report.total, name
                    )
            assert sum(number for _, number in report.reasons) == report.total.failed
            assert sum(one.delivered for one in report.moments) == report.total.delivered
            assert len(report.moments) <= 12
            # Nothing of it is kept for the next example.
            raise Enough


async def staffed(town: Town, name: str, language: str, role: Role = Role.STAFF) -> Resident:
    resident = await town.member(name, language)
    async with town.app.storage.begin() as db:
        (await town.member_of(db, resident)).role = role
    return resident


async def after_the_vows(town: Town, author: Resident) -> Announcement:
    """What became of it: two of four received it, one is on the way, and so on."""
    async with town.app.storage.begin() as db:
        writer = await town.member_of(db, author)
        announcement = await announced(db, writer)
        at = {"answered_at": EVE + timedelta(minutes=30)}
        opened = {"opened_at": EVE + timedelta(minutes=31)}
        await received(db, announcement, 1, FATES[0], "fr", answer=0, **at, **opened)
        await received(db, announcement, 2, FATES[0], "ar", answer=1, **at)
        await received(db, announcement, 3, FATES[8], "ar")
        await received(db, announcement, 4, FATES[1], "fr")
        await received(db, announcement, 5, FATES[9], "fr")
        await received(db, announcement, 6, FATES[2], "fr")
        await received(db, announcement, 7, FATES[4], "en")
        await received(db, announcement, 8, FATES[5], "fr")
    return announcement


async def opened_by(town: Town, resident: Resident, announcement: Announcement) -> None:
    """Put the button on their screen, as cards of an announcement have it."""
    words = town.app.catalogs[resident.person.language_code]
    letter = Letter("…", ((reports.tap(words, announcement.id),),))
    await town.app.bulk.send(letter, str(resident.person.id))
    resident.heard()


async def test_staff_read_what_became_of_it(town: Town) -> None:
    emma = await staffed(town, "Emma", "en")
    vows = await after_the_vows(town, emma)
    await opened_by(town, emma, vows)
    assert await emma.taps("📊 Report") == [
        "📊 Greetings at the consulate\n"
        "\n"
        "Recipients: 8\n"
        "📬 Delivered: 3 (37%)\n"
        "❌ Not delivered: 2\n"
        "     blocked the bot: 1\n"
        "     can't be reached: 1\n"
        "🔕 Opted out: 1\n"
        "❔ In doubt: 1\n"
        "⏳ Still to go: 1\n"
        "\n"
        "By language\n"
        "العربية: 2 of 2\n"
        "English: 0 of 1\n"
        "Français: 1 of 5\n"
        "\n"
        "By channel\n"
        "none yet: 0 of 2\n"
        "Telegram: 3 of 6\n"
        "\n"
        "🔗 Opened links are not counted here.\n"
        "\n"
        "Answers\n"
        "I’ll come: 1\n"
        "I can’t: 1\n"
        "No answer: 1\n"
        "[🖼 Picture] [📄 Figures (Excel)]\n"
        "[📄 Answers (Excel)] [📄 Answers (CSV)]\n"
        "[🔄 Refresh]"
    ]
    assert await emma.taps("🔄 Refresh") == []


async def test_it_is_read_in_arabic_and_in_french(town: Town) -> None:
    salma, omar = await staffed(town, "Salma", "ar", Role.ADMIN), await staffed(town, "Omar", "fr")
    vows = await after_the_vows(town, omar)
    await opened_by(town, salma, vows)
    await opened_by(town, omar, vows)
    [arabic] = await salma.taps("📊 التقرير")
    assert arabic.splitlines()[:4] == [
        "📊 حفل التهاني في القنصلية",
        "",
        "المستلمون: 8",
        "📬 وصل إليهم: 3 (37%)",
    ]
    [french] = await omar.taps("📊 Bilan")
    assert french.splitlines()[:4] == [
        "📊 Cérémonie des vœux au consulat",
        "",
        "Destinataires : 8",
        "📬 Remis : 3 (37 %)",
    ]


async def test_who_may_not_see_it_is_told_nothing(town: Town) -> None:
    author, other = await staffed(town, "Emma", "en"), await staffed(town, "Omar", "en")
    member = await town.member("Amal", "en")
    vows = await after_the_vows(town, author)
    async with town.app.storage.begin() as db:
        post = await _post(db)
        (await db.get_one(Announcement, vows.id)).post_id = post
    for one in (other, member):
        await opened_by(town, one, vows)
    assert await other.taps("📊 Report") == ["(There is no such report for you.)"]
    [answer] = await member.taps("📊 Report")
    assert "Recipients" not in answer


async def _post(db: Any) -> int:
    post = Post(name="Lyon")
    db.add(post)
    await db.flush()
    return post.id


async def test_papers_are_made_when_asked_for_and_written_down(town: Town) -> None:
    emma = await staffed(town, "Emma", "en")
    vows = await after_the_vows(town, emma)
    async with town.app.storage.begin() as db:
        for row in await db.scalars(select(Outbox)):
            row.state = Fate.VOID if row.state == Fate.QUEUED else row.state
    await opened_by(town, emma, vows)
    await emma.taps("📊 Report")
    assert await emma.taps("📄 Figures (Excel)") == ["(Here comes your file.)"]
    assert await emma.taps("🖼 Picture") == ["(Here comes your file.)"]
    assert await emma.taps("📄 Answers (Excel)") == [
        "What is this list of people for? It is written down with your number and theirs. Please "
        "delete the file when it has served.\n"
        "[To organise what they answered to]\n"
        "[To get back to them]\n"
        "[Report on the announcement]"
    ]
    assert await emma.taps("To get back to them") == [
        "The file follows. Purpose: To get back to them"
    ]
    await town.is_now(town.clock.now() + timedelta(seconds=5))
    files = {}
    for message in emma.person.chat.messages:
        if message.document is not None:
            files[message.document.name] = message.document.data
    assert sorted(files) == [f"answers-{vows.id}.xlsx", f"report-{vows.id}.xlsx"]
    assert any(message.photo for message in emma.person.chat.messages)
    rows = _rows(files[f"answers-{vows.id}.xlsx"])
    assert rows == [
        ("Name", "City", "Answer", "Since"),
        ("Reader 1", "Lyon", "I’ll come", "2018-07-03 08:30"),
        ("Reader 2", "Lyon", "I can’t", "2018-07-03 08:30"),
    ]
    figures = _rows(files[f"report-{vows.id}.xlsx"])
    assert figures[:4] == [
        ("What", "Of whom", "Number"),
        ("Recipients", "All", 8),
        ("Delivered", "All", 3),
        ("Not delivered", "All", 2),
    ]
    assert ("Link opened", "All", 1) in figures
    assert ("Answer 2", "I can’t", 1) in figures
    async with town.app.storage.read() as db:
        audit = await db.scalars(select(Audit).where(Audit.action == "report.exported"))
        told = [(row.about["paper"], row.about.get("purpose"), row.people) for row in audit]
    assert sorted(told, key=str) == [
        ("figures", None, None),
        ("picture", None, None),
        ("xlsx", "follow-up", 2),
    ]


def _rows(content: bytes) -> list[tuple[Any, ...]]:
    sheet = load_workbook(BytesIO(content)).worksheets[0]
    return list(sheet.iter_rows(values_only=True))


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
async def test_it_is_drawn_in_each_language(town: Town, language: str) -> None:
    """A warning of a letter that the font lacks would fail this."""
    author = await staffed(town, "Emma", "en")
    vows = await after_the_vows(town, author)
    words = town.app.catalogs[language]
    async with town.app.storage.read() as db:
        report = await rules.of(db, await db.get_one(Announcement, vows.id))
    reach = report_papers.picture(words, report, WORDS[language], ZoneInfo("Europe/Paris"))
    assert reach.rows[0] == (words.label("All"), (3, 2, 1, 0, 1, 1))
    assert sum(reach.series[0][1]) == 3
    assert (await pictures.chart(reach)).startswith(b"\x89PNG")
