"""What a report is taken away as: a picture, a sheet of figures, a list of who answered what."""

import html
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton
from sqlalchemy.ext.asyncio import AsyncSession

from handlers.letters import Reach
from handlers.papers import Sheet
from handlers.words import AUTONYMS, Words, shortened
from storage import announcements, reports
from storage.announcements import Texts
from storage.reports import Counts, Moment, Paper, Report
from storage.tables import Announcement

# Of a text, what its report is called by; and of an answer, what fits beside its bar.
_TITLE, _ANSWER = 60, 30
# Channels as they call themselves.
_CHANNELS = {"telegram": "Telegram", "whatsapp": "WhatsApp"}


def title(words: Words, announcement: Announcement, texts: Texts) -> str:
    """The first words of an announcement, plain: in the reader's language, if it has that."""
    text = announcements.read_by(announcement, texts, words.language)
    said = html.unescape(re.sub(r"<[^>]*>", "", text.text)) if text else ""
    line = next(filter(None, map(str.strip, said.splitlines())), "")
    return shortened(line, _TITLE) or words.label("Announcement")


def parts(words: Words) -> Mapping[str, str]:
    """What may become of a letter, in the order of `Counts`."""
    return {
        "delivered": words.label("Delivered"),
        "failed": words.label("Not delivered"),
        "opted_out": words.label("Opted out"),
        "dropped": words.label("Left out"),
        "unknown": words.label("In doubt"),
        "waiting": words.label("Still to go"),
    }


def reason(words: Words, code: str) -> str:
    """Why a letter was not delivered."""
    return {
        "blocked": words.label("blocked the bot"),
        "deactivated": words.label("account deleted"),
        "unreachable": words.label("can't be reached"),
        "chat not found": words.label("can't be reached"),
        "forbidden": words.label("can't be reached"),
    }.get(code, words.label("refused by the messenger"))


def channel(words: Words, name: str) -> str:
    """A channel as people call it."""
    return _CHANNELS.get(name, name) or words.label("none yet")


def language(code: str) -> str:
    """A language as it calls itself."""
    return AUTONYMS.get(code, code)


def choice(words: Words, announcement: Announcement, number: int) -> str:
    """One of its answers, in the reader's language."""
    return words.pick((announcement.answers or [])[number])


def picture(words: Words, report: Report, name: str, zone: ZoneInfo) -> Reach:
    """The report as a picture."""
    rows = [(words.label("All"), report.total)]
    if len(report.languages) > 1:
        rows += [(language(code), counts) for code, counts in report.languages.items()]
    moments = report.moments
    return Reach(
        title=name,
        parts=tuple(parts(words).values()),
        rows=tuple((label, _numbers(words, counts)) for label, counts in rows),
        answers=tuple(
            (shortened(choice(words, report.announcement, at), _ANSWER), number)
            for at, number in enumerate(report.answers)
        ),
        moments=tuple(when(words, one, report.step, zone) for one in moments),
        series=(
            (words.label("Delivered"), tuple(one.delivered for one in moments)),
            (words.label("Link opened"), tuple(one.opened for one in moments)),
            (words.label("Answered"), tuple(one.answered for one in moments)),
        ),
        headings=(words.label("Answers"), words.label("Over time")),
        right_to_left=words.locale.text_direction == "rtl",
    )


def when(words: Words, moment: Moment, step: timedelta, zone: ZoneInfo) -> str:
    """A moment of the time line: the time of day, and the day where that could be another."""
    day = format_skeleton("MMMd", moment.at, tzinfo=zone, locale=words.locale)
    if step >= timedelta(days=1):
        return day
    clock = words.clock(moment.at, zone)
    return f"{day}\n{clock}" if step >= timedelta(hours=1) else clock


def figures(words: Words, report: Report, name: str, zone: ZoneInfo) -> Sheet:
    """All numbers of the report in one sheet: what, of whom, how many."""
    rows: list[tuple[str | int, ...]] = [
        (words.label("What"), words.label("Of whom"), words.label("Number"))
    ]
    everybody = words.label("All")

    def count(of: str, counts: Counts) -> None:
        rows.append((words.label("Recipients"), of, counts.all))
        rows.extend((part, of, getattr(counts, key)) for key, part in parts(words).items())

    count(everybody, report.total)
    for code, counts in report.languages.items():
        count(language(code), counts)
    for known, counts in report.channels.items():
        count(channel(words, known), counts)
    failed, said = words.label("Not delivered"), words.label("Answer")
    rows.extend(
        (f"{failed} ({reason(words, code)})", everybody, number) for code, number in report.reasons
    )
    rows.append((words.label("Link opened"), everybody, report.opened))
    rows.extend(
        (f"{said} {at + 1}", choice(words, report.announcement, at), number)
        for at, number in enumerate(report.answers)
    )
    for moment in report.moments:
        at = f"{moment.at.astimezone(zone):%Y-%m-%d %H:%M}"
        rows.append((words.label("Delivered"), at, moment.delivered))
        rows.append((words.label("Link opened"), at, moment.opened))
        rows.append((words.label("Answered"), at, moment.answered))
    return Sheet(f"report-{report.announcement.id}.xlsx", name, tuple(rows))


async def answers(
    db: AsyncSession, words: Words, announcement: Announcement, name: str, paper: Paper
) -> tuple[Sheet, Sequence[int]]:
    """Who answered what, and the ids of those whom it names."""
    given = await reports.answered(db, announcement)
    rows: list[tuple[str | int, ...]] = [
        (words.label("Name"), words.label("City"), words.label("Answer"), words.label("Since"))
    ]
    named = []
    for recipient, member in given:
        if recipient.answer is None or recipient.answered_at is None:
            continue
        zone = ZoneInfo(member.timezone) if member.timezone else ZoneInfo("UTC")
        since = f"{recipient.answered_at.astimezone(zone):%Y-%m-%d %H:%M}"
        said = choice(words, announcement, recipient.answer)
        rows.append((member.name or "", member.city or "", said, since))
        named.append(member.id)
    return Sheet(f"answers-{announcement.id}.{paper.value}", name, tuple(rows)), named


def _numbers(words: Words, counts: Counts) -> tuple[int, ...]:
    return tuple(getattr(counts, key) for key in parts(words))
