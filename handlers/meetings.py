"""Meetings: "did you meet?", asked after the meeting or a week after all said yes, and answered by a
tap or two.
"""

from collections.abc import Sequence

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery
from sqlalchemy.ext.asyncio import AsyncSession

from handlers.correspondence import Writing
from handlers.letters import Letter, Tap, Template
from handlers.meeting_time_cards import AgreeOnTime
from handlers.turns import Turn
from storage import introduction_parties, meetings


class Met(CallbackData, prefix="met"):
    """Whether we met; and how it was, or 0 for not said."""

    introduction: int
    met: bool
    stars: int = 0


async def write(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """The question; None where somebody has left since."""
    found = await introduction_parties.parties(db, [one.about["introduction"] for one in writings])
    letters: list[Letter | None] = []
    for one in writings:
        party = found.get(one.about["introduction"])
        if party is None or party.place_of(one.member.id) is None:
            letters.append(None)
            continue
        words, id_ = one.words, party.introduction.id
        names = [
            (member.name or "–").split()[0]
            for member in party.members
            if member.id != one.member.id
        ]
        yes, no = Met(introduction=id_, met=True), Met(introduction=id_, met=False)
        letters.append(
            Letter(
                words("Did you meet {names}?", names=words.listed(names)),
                (
                    (
                        Tap(words.label("Yes, we met"), yes.pack()),
                        Tap(words.label("No, we didn't"), no.pack()),
                    ),
                ),
                template=Template("meeting_question", tuple(names)),
            )
        )
    return letters


async def answered(_tap: CallbackQuery, callback_data: Met, turn: Turn) -> None:
    """An answer, which may be changed by tapping again."""
    words, stars = turn.words, callback_data.stars or None
    id_, met = callback_data.introduction, callback_data.met
    if not await meetings.say(turn.db, turn.member, id_, met=met, stars=stars):
        turn.say.toast(words.label("This question is closed."))
    elif met and stars is None:
        row = tuple(
            Tap(f"{n} ★", Met(introduction=id_, met=True, stars=n).pack()) for n in meetings.STARS
        )
        turn.say.edit(Letter(words("How was it? Nobody else reads your answer."), (row,)))
    else:
        agree = Tap(words.label("📅 Agree on a time"), AgreeOnTime(introduction=id_).pack())
        thanks = words("Thank you: this helps me to propose the right people.")
        turn.say.edit(Letter(thanks, () if met else ((agree,),)))


def router() -> Router:
    """Meetings, wired."""
    r = Router(name="meetings")
    r.callback_query.register(answered, Met.filter())
    return r
