"""What introductions brought: proposed, agreed, met and how it was; and what is sought in vain.

Numbers alone. A row about fewer people than `FEW` would point at somebody, so it is left out.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import meeting_profiles, outbox
from storage.tables import (
    Direction,
    Introduction,
    IntroductionSide,
    Lane,
    MeetingTopic,
    Member,
    Progress,
    Topic,
)

KIND = "introduction_figures"
# How far back we look, and below how many introductions a row is not told apart.
BACK, FEW = timedelta(days=365), 3


@dataclass(slots=True)
class Row:
    """Introductions of one sort: how many were proposed, agreed and held, and the stars given."""

    proposed: int = 0
    agreed: int = 0
    met: int = 0
    stars: list[int] = field(default_factory=list)

    @property
    def average(self) -> float | None:
        """The average of the stars; None without any."""
        return sum(self.stars) / len(self.stars) if self.stars else None


@dataclass(frozen=True, slots=True)
class Need:
    """How many seek a topic, and how many offer it."""

    topic: Topic
    seek: int
    offer: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The last year. `themes` are by the themes that were a reason, by id."""

    members: int
    total: Row
    across: Row
    same_side: Row
    themes: Mapping[int, Row]
    needs: Sequence[Need]


async def of_all(db: AsyncSession, now: datetime) -> Figures:
    """Count everything that was proposed within the last year, and the wishes of today."""
    rows = await db.execute(
        select(Introduction, IntroductionSide.met, IntroductionSide.stars, Member.side)
        .join(IntroductionSide, IntroductionSide.introduction_id == Introduction.id)
        .join(Member, Member.id == IntroductionSide.member_id)
        .where(Introduction.proposed_at > now - BACK)
    )
    sides = defaultdict(list)
    found = {}
    for introduction, met, stars, side in rows:
        found[introduction.id] = introduction
        sides[introduction.id].append((met, stars, side))
    total, across, same = Row(), Row(), Row()
    themes: dict[int, Row] = defaultdict(Row)
    for id_, introduction in found.items():
        shores = {side for _, _, side in sides[id_] if side is not None}
        about = {
            reason["theme"] for reason in introduction.reasons if reason.get("kind") == "theme"
        }
        for row in (
            total,
            across if len(shores) > 1 else same,
            *(themes[theme] for theme in about if theme is not None),
        ):
            row.proposed += 1
            row.agreed += introduction.progress == Progress.AGREED
            row.met += any(met for met, _, _ in sides[id_])
            row.stars += [stars for _, stars, _ in sides[id_] if stars is not None]
    taking_part = select(func.count()).select_from(Member).where(meeting_profiles.active())
    return Figures(
        await db.scalar(taking_part) or 0,
        total,
        across,
        same,
        {theme: row for theme, row in themes.items() if row.proposed >= FEW},
        await _needs(db),
    )


async def _needs(db: AsyncSession) -> Sequence[Need]:
    """What is sought and offered by those who take part, what is missing most first."""
    rows = await db.execute(
        select(MeetingTopic.direction, MeetingTopic.topic, func.count())
        .join(Member, Member.id == MeetingTopic.member_id)
        .where(meeting_profiles.active())
        .group_by(MeetingTopic.direction, MeetingTopic.topic)
    )
    wishes: Counter[tuple[Direction, Topic]] = Counter()
    for direction, topic, number in rows:
        wishes[direction, topic] = number
    needs = [
        Need(topic, wishes[Direction.SEEKS, topic], wishes[Direction.OFFERS, topic])
        for topic in Topic
    ]
    return sorted(
        (need for need in needs if need.seek or need.offer),
        key=lambda need: (need.offer - need.seek, -need.seek),
    )


def post(db: AsyncSession, staff: Member, form: str, now: datetime) -> None:
    """Let the figures be sent to somebody of the team: as a "picture" or a "sheet"."""
    outbox.post(
        db,
        key=f"{KIND}:{form}:{staff.id}:{int(now.timestamp() * 1000)}",
        member_id=staff.id,
        kind=KIND,
        about={"form": form},
        due=now,
        expires=now + timedelta(hours=1),
        lane=Lane.PERSONAL,
    )
