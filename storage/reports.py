"""Reports: what became of an announcement, in numbers that add up.

Every recipient is counted once: delivered, failed, opted out, dropped (stopped, or their data was
deleted, before it left), in doubt, or still waiting. `recipient` knows what is settled, and the
outbox what is not gathered yet; so the sum holds at any moment, also in the middle of sending.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, String, and_, case, func, literal, null, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.ext.asyncio import AsyncSession

from storage import audit, outbox
from storage.tables import (
    Announcement,
    Fate,
    Instant,
    Lane,
    Member,
    Outbox,
    Recipient,
    Role,
    Stage,
)

KIND = "report"
# Why delivery left somebody out who no longer agreed (`storage/outbox.py`).
OPTED_OUT = "opted out"
# Why a letter that was posted is not on its way while its announcement is paused.
_TAKEN_BACK = ("paused", "overtaken by events")
# The bars of the time line at most, and how long each may be.
_BARS = 12
_STEPS_MINUTES = (1, 5, 15, 60, 180, 360, 1440, 4320, 10080, 43200)
# Whoever asked for a file has given it up by then.
_WORTH_SENDING = timedelta(hours=12)


class Paper(StrEnum):
    """What a report is taken away as."""

    PICTURE = "picture"
    FIGURES = "figures"
    # Who answered what: these name people.
    ANSWERS_XLSX = "xlsx"
    ANSWERS_CSV = "csv"


# Those that name people: why is asked, and written down.
LISTS = (Paper.ANSWERS_XLSX, Paper.ANSWERS_CSV)


@dataclass(slots=True)
class Counts:
    """Recipients by what became of their letter; the sum of all is how many there are."""

    delivered: int = 0
    failed: int = 0
    opted_out: int = 0
    dropped: int = 0
    unknown: int = 0
    waiting: int = 0

    @property
    def all(self) -> int:
        """How many recipients these are."""
        return sum(getattr(self, one.name) for one in fields(self))

    def add(self, name: str, number: int) -> None:
        """Count so many more of this name."""
        setattr(self, name, getattr(self, name) + number)


@dataclass(frozen=True, slots=True)
class Moment:
    """What happened from `at` on, until the next moment."""

    at: datetime
    delivered: int
    opened: int
    answered: int


@dataclass(slots=True)
class Report:
    """An announcement in numbers. `reasons` are (why, how many) of those that failed, the most
    frequent first; a channel is "" where the letter had none yet.
    """

    announcement: Announcement
    total: Counts = field(default_factory=Counts)
    languages: dict[str, Counts] = field(default_factory=dict)
    channels: dict[str, Counts] = field(default_factory=dict)
    reasons: list[tuple[str, int]] = field(default_factory=list)
    opened: int = 0
    # How many gave each answer, in their order.
    answers: list[int] = field(default_factory=list)
    # How long each moment of the time line is.
    step: timedelta = timedelta(minutes=1)
    moments: list[Moment] = field(default_factory=list)


def may_see(announcement: Announcement, staff: Member) -> bool:
    """Its author, who approved it, the admins, and those of the same post."""
    if staff.role not in (Role.STAFF, Role.ADMIN):
        return False
    if staff.role == Role.ADMIN or staff.id in (announcement.author_id, announcement.approver_id):
        return True
    others = announcement.stage != Stage.DRAFT
    return others and (staff.everywhere or announcement.post_id == staff.post_id)


async def visible(db: AsyncSession, announcement_id: int, staff: Member) -> Announcement | None:
    """This announcement, if they may see its report."""
    found = await db.get(Announcement, announcement_id, populate_existing=True)
    return found if found is not None and may_see(found, staff) else None


async def of(db: AsyncSession, announcement: Announcement, *, over_time: bool = True) -> Report:
    """The report as of now, read in one consistent state; without its `moments` in half the time."""
    report = Report(announcement, answers=[0] * len(announcement.answers or ()))
    reasons: dict[str, int] = {}
    known = (
        select(
            Recipient.language,
            Recipient.answer,
            Recipient.opened_at,
            Outbox.channel,
            _fate().label("fate"),
            _reason().label("reason"),
        )
        .select_from(Recipient)
        .outerjoin(Outbox, Outbox.key == _key(announcement))
        .where(Recipient.announcement_id == announcement.id)
        .subquery()
    )
    kinds = (known.c.language, known.c.channel, known.c.fate, known.c.reason, known.c.answer)
    rows = await db.execute(
        select(*kinds, func.count(), func.count(known.c.opened_at)).group_by(*kinds)
    )
    for language, channel, fate, reason, answer, number, opened in rows:
        name = _name(fate, reason)
        report.total.add(name, number)
        report.languages.setdefault(language, Counts()).add(name, number)
        report.channels.setdefault(channel or "", Counts()).add(name, number)
        report.opened += opened
        if name == "failed":
            reasons[reason or ""] = reasons.get(reason or "", 0) + number
        if answer is not None and answer < len(report.answers):
            report.answers[answer] += number
    report.languages = dict(sorted(report.languages.items()))
    report.channels = dict(sorted(report.channels.items()))
    report.reasons = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
    if over_time:
        await _tell_time(db, report)
    return report


def _key(announcement: Announcement) -> ColumnElement[str]:
    return literal(f"announcement:{announcement.id}:") + sql_cast(Recipient.member_id, String)


def _fate() -> ColumnElement[Any]:
    # What a pause took back from the outbox waits there, until it is put back or the end is told.
    taken_back = and_(Outbox.state == Fate.VOID, Outbox.reason.in_(_TAKEN_BACK))
    state = case((taken_back, null()), else_=sql_cast(Outbox.state, String))
    return func.coalesce(Recipient.outcome, state)


def _reason() -> ColumnElement[Any]:
    return case((Recipient.outcome.is_not(None), Recipient.reason), else_=Outbox.reason)


def _name(fate: str | None, reason: str | None) -> str:
    if fate == Fate.VOID.value:
        return "opted_out" if reason == OPTED_OUT else "dropped"
    named = {Fate.SENT: "delivered", Fate.FAILED: "failed", Fate.UNKNOWN: "unknown"}
    return named.get(Fate(fate), "waiting") if fate else "waiting"


async def _tell_time(db: AsyncSession, report: Report) -> None:
    """Count what happened in each of at most a dozen spans of time."""
    arrived = case(
        (
            _fate() == Fate.SENT.value,
            func.coalesce(Recipient.settled_at, Outbox.settled_at, type_=Instant()),
        ),
    )
    happened: tuple[ColumnElement[Any], ...] = (
        arrived,
        Recipient.opened_at.expression,
        Recipient.answered_at.expression,
    )
    mine = Recipient.announcement_id == report.announcement.id

    async def asked(columns: Sequence[ColumnElement[Any]]) -> Any:
        query = select(*columns).select_from(Recipient)
        joined = query.outerjoin(Outbox, Outbox.key == _key(report.announcement))
        return (await db.execute(joined.where(mine))).one()

    ends = await asked([extreme(one) for one in happened for extreme in (func.min, func.max)])
    known = [end for end in ends if end is not None]
    if not known:
        return
    first, last = min(known), max(known)
    steps = [timedelta(minutes=minutes) for minutes in _STEPS_MINUTES]
    report.step = next((one for one in steps if _bars(first, last, one) <= _BARS), steps[-1])
    begins = [
        _floor(first, report.step) + at * report.step
        for at in range(min(_BARS, _bars(first, last, report.step)))
    ]
    sums = [
        func.sum(case((and_(one >= at, one < at + report.step), 1), else_=0))
        for at in begins
        for one in happened
    ]
    numbers = [int(number) for number in await asked(sums)]
    report.moments = [
        Moment(at, *numbers[place * 3 : place * 3 + 3]) for place, at in enumerate(begins)
    ]


def _floor(moment: datetime, step: timedelta) -> datetime:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + (moment - epoch) // step * step


def _bars(first: datetime, last: datetime, step: timedelta) -> int:
    return (_floor(last, step) - _floor(first, step)) // step + 1


# --- to be taken away -----------------------------------------------------------------------


async def ask(  # noqa: PLR0917  # who, what, as what, why and when
    db: AsyncSession,
    staff: Member,
    announcement: Announcement,
    paper: Paper,
    now: datetime,
    purpose: str | None = None,
) -> None:
    """Let a paper of this report be sent. Taps in the same second ask for one."""
    await db.execute(
        outbox.insert_once(db).values(
            key=f"{KIND}:{staff.id}:{announcement.id}:{paper.value}:{int(now.timestamp())}",
            member_id=staff.id,
            kind=KIND,
            about={
                "announcement": announcement.id,
                "paper": paper.value,
                **({"purpose": purpose} if purpose else {}),
            },
            lane=Lane.PERSONAL,
            due=now,
            expires=now + _WORTH_SENDING,
        )
    )


async def answered(
    db: AsyncSession, announcement: Announcement
) -> Sequence[tuple[Recipient, Member]]:
    """Who gave which answer: by answer, then in the order in which they gave it."""
    rows = await db.execute(
        select(Recipient, Member)
        .join(Member, Member.id == Recipient.member_id)
        .where(Recipient.announcement_id == announcement.id, Recipient.answer.is_not(None))
        .order_by(Recipient.answer, Recipient.answered_at, Recipient.id)
    )
    return [(recipient, member) for recipient, member in rows]


async def recorded(
    db: AsyncSession,
    staff: Member,
    announcement: Announcement,
    paper: Paper,
    now: datetime,
    *,
    purpose: str | None = None,
    touched: Sequence[int] | None = None,
) -> None:
    """Write down that a report left, and of a list whom it names."""
    about: dict[str, Any] = {"announcement": announcement.id, "paper": paper.value}
    if purpose:
        about["purpose"] = purpose
    await audit.record(db, staff, "report.exported", now, about=about, touched=touched)
