"""Reports: what became of an announcement, for the team: as text, as a picture, as spreadsheets.

Who taps is asked again each time, and once more when a paper is made. A paper that names people is
made for a purpose, which is written down with their ids.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from zoneinfo import ZoneInfo

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery
from sqlalchemy.ext.asyncio import AsyncSession

from handlers import report_papers as papers
from handlers.correspondence import Writing
from handlers.letters import Letter, Tap
from handlers.places import zone_of
from handlers.tickets import of_staff
from handlers.turns import Turn
from handlers.words import Html, Words, quote
from storage import announcements, reports
from storage.reports import Counts, Paper
from storage.reports import Report as Figures
from storage.tables import Member

# Reasons of failure that are told one by one.
_REASONS = 5


class Report(CallbackData, prefix="report"):
    """The report on an announcement; `anew` on the card that was tapped."""

    announcement: int
    anew: bool = False


class Take(CallbackData, prefix="reporttake"):
    """The report as a paper."""

    announcement: int
    paper: Paper


class For(StrEnum):
    """What a list of those who answered is for."""

    ORGANISE = "organise"
    FOLLOW_UP = "follow-up"
    REPORT = "report"


class TakeFor(CallbackData, prefix="reportfor"):
    """The list of those who answered, for this purpose."""

    announcement: int
    paper: Paper
    purpose: For


def tap(words: Words, announcement_id: int) -> Tap:
    """The button that opens the report, for any card of an announcement."""
    return Tap(words.label("📊 Report"), Report(announcement=announcement_id).pack())


# --- the conversation -----------------------------------------------------------------------


async def open_report(_tap: CallbackQuery, callback_data: Report, turn: Turn) -> None:
    """The report as a message of its own, or the same message with the numbers of now."""
    letter = await letter_of(turn, callback_data.announcement)
    if letter is None:
        turn.say.toast(_gone(turn.words))
    elif callback_data.anew:
        turn.say.edit(letter)
    else:
        turn.say(letter)


async def letter_of(turn: Turn, announcement_id: int) -> Letter | None:
    """The report as text; None: there is none that this person may see."""
    words, db = turn.words, turn.db
    announcement = await reports.visible(db, announcement_id, turn.member)
    if announcement is None:
        return None
    texts = await announcements.texts_of(db, announcement.id)
    # In the transaction of a tap, which holds up others': no more than is told.
    report = await reports.of(db, announcement, over_time=False)
    name = papers.title(words, announcement, texts)
    lines = [words("📊 <b>{title}</b>", title=name)]
    if announcement.stage in announcements.UNSENT or not report.total.all:
        lines += [Html(""), words("Nobody has received it yet: there is nothing to report.")]
        return Letter(Html("\n".join(lines)), (_again(words, announcement_id),))
    lines += [Html(""), *_account(words, report)]
    if len(report.languages) > 1:
        lines += [Html(""), words("<b>By language</b>")]
        lines += [
            _share(words, papers.language(code), counts)
            for code, counts in report.languages.items()
        ]
    lines += [Html(""), words("<b>By channel</b>")]
    lines += [
        _share(words, papers.channel(words, code), counts)
        for code, counts in report.channels.items()
    ]
    lines += _reactions(words, turn, report, has_link=any(text.link_url for text in texts.values()))
    return Letter(Html("\n".join(lines)), _taps(words, report))


def _account(words: Words, report: Figures) -> list[Html]:
    total = report.total
    lines = [
        words("Recipients: {number}", number=total.all),
        words(
            "📬 Delivered: {number} ({percent}%)",
            number=total.delivered,
            percent=100 * total.delivered // total.all,
        ),
    ]
    if total.failed:
        lines.append(words("❌ Not delivered: {number}", number=total.failed))
        told: dict[str, int] = {}
        for code, number in report.reasons:
            why = papers.reason(words, code)
            told[why] = told.get(why, 0) + number
        lines += [
            words("     {reason}: {number}", reason=Html(why), number=number)
            for why, number in list(told.items())[:_REASONS]
        ]
    if total.opted_out:
        lines.append(words("🔕 Opted out: {number}", number=total.opted_out))
    if total.dropped:
        lines.append(words("▫️ Left out: {number}", number=total.dropped))
    if total.unknown:
        lines.append(words("❔ In doubt: {number}", number=total.unknown))
    if total.waiting:
        lines.append(words("⏳ Still to go: {number}", number=total.waiting))
    return lines


def _share(words: Words, name: str, counts: Counts) -> Html:
    return words("{name}: {number} of {all}", name=name, number=counts.delivered, all=counts.all)


def _reactions(words: Words, turn: Turn, report: Figures, *, has_link: bool) -> list[Html]:
    lines: list[Html] = []
    if has_link and turn.links.counted is not None:
        lines += [Html(""), words("🔗 Link opened: {number}", number=report.opened)]
    elif has_link:
        lines += [Html(""), words("🔗 Opened links are not counted here.")]
    if report.answers:
        lines += [Html(""), words("<b>Answers</b>")]
        lines += [
            words(
                "{answer}: {number}",
                answer=papers.choice(words, report.announcement, at),
                number=number,
            )
            for at, number in enumerate(report.answers)
        ]
        silent = report.total.delivered - sum(report.answers)
        lines.append(words("No answer: {number}", number=max(0, silent)))
    return lines


def _taps(words: Words, report: Figures) -> tuple[tuple[Tap, ...], ...]:
    here = report.announcement.id

    def take(label: str, paper: Paper) -> Tap:
        return Tap(label, Take(announcement=here, paper=paper).pack())

    rows = [
        (
            take(words.label("🖼 Picture"), Paper.PICTURE),
            take(words.label("📄 Figures (Excel)"), Paper.FIGURES),
        )
    ]
    if sum(report.answers):
        rows.append(
            (
                take(words.label("📄 Answers (Excel)"), Paper.ANSWERS_XLSX),
                take(words.label("📄 Answers (CSV)"), Paper.ANSWERS_CSV),
            )
        )
    return (*rows, _again(words, here))


def _again(words: Words, announcement_id: int) -> tuple[Tap, ...]:
    anew = Report(announcement=announcement_id, anew=True).pack()
    return (Tap(words.label("🔄 Refresh"), anew),)


async def take(_tap: CallbackQuery, callback_data: Take, turn: Turn) -> None:
    """One of the team wants a paper; of one that names people they are asked what for."""
    words, paper = turn.words, callback_data.paper
    announcement = await reports.visible(turn.db, callback_data.announcement, turn.member)
    if announcement is None:
        turn.say.toast(_gone(words))
    elif paper in reports.LISTS:
        turn.say(_what_for(words, announcement.id, paper))
    else:
        await reports.ask(turn.db, turn.member, announcement, paper, turn.now)
        turn.say.toast(words.label("Here comes your file."))


def _what_for(words: Words, announcement_id: int, paper: Paper) -> Letter:
    text = words(
        "What is this list of people for? It is written down with your number and theirs. Please "
        "delete the file when it has served."
    )
    taps = tuple(
        (Tap(label, TakeFor(announcement=announcement_id, paper=paper, purpose=purpose).pack()),)
        for purpose, label in _purposes(words).items()
    )
    return Letter(text, taps)


def _purposes(words: Words) -> Mapping[For, str]:
    return {
        For.ORGANISE: words.label("To organise what they answered to"),
        For.FOLLOW_UP: words.label("To get back to them"),
        For.REPORT: words.label("Report on the announcement"),
    }


async def take_for(_tap: CallbackQuery, callback_data: TakeFor, turn: Turn) -> None:
    """One of the team has said what a list is for."""
    words, paper, purpose = turn.words, callback_data.paper, callback_data.purpose
    announcement = await reports.visible(turn.db, callback_data.announcement, turn.member)
    if announcement is None or paper not in reports.LISTS:
        turn.say.toast(_gone(words))
        return
    await reports.ask(turn.db, turn.member, announcement, paper, turn.now, purpose.value)
    told = words("The file follows. Purpose: {purpose}", purpose=_purposes(words)[purpose])
    turn.say.edit(Letter(told))


def _gone(words: Words) -> str:
    return words.label("There is no such report for you.")


# --- the papers -----------------------------------------------------------------------------


async def write(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """The papers as things are now; None for whoever may not see them any more."""
    return [await _paper(db, one) for one in writings]


async def _paper(db: AsyncSession, one: Writing) -> Letter | None:
    words, paper = one.words, Paper(one.about["paper"])
    announcement = await reports.visible(db, one.about["announcement"], one.member)
    if announcement is None:
        return None
    texts = await announcements.texts_of(db, announcement.id)
    name = papers.title(words, announcement, texts)
    text = Html(f"📊 <b>{quote(name)}</b>")
    if paper in reports.LISTS:
        sheet, named = await papers.answers(db, words, announcement, name, paper)
        purpose = one.about.get("purpose")
        await reports.recorded(
            db, one.member, announcement, paper, one.now, purpose=purpose, touched=named
        )
        return Letter(text, document=sheet)
    report = await reports.of(db, announcement)
    await reports.recorded(db, one.member, announcement, paper, one.now)
    if paper == Paper.FIGURES:
        return Letter(text, document=papers.figures(words, report, name, _zone(one.member)))
    return Letter(text, picture=papers.picture(words, report, name, _zone(one.member)))


def _zone(member: Member) -> ZoneInfo:
    return ZoneInfo(member.timezone or zone_of(member.country, member.city) or "UTC")


def router() -> Router:
    """Reports, wired: for staff alone."""
    r = Router(name="reports")
    r.callback_query.register(open_report, Report.filter(), of_staff)
    r.callback_query.register(take, Take.filter(), of_staff)
    r.callback_query.register(take_for, TakeFor.filter(), of_staff)
    return r
