"""Introductions: the proposal, its answer by tap, and what is said when all agree or it ends.

No letter tells a contact before all said yes, and none ever tells a refusal.
"""

from collections.abc import Mapping, Sequence

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery
from sqlalchemy.ext.asyncio import AsyncSession

from handlers import introduction_reasons, stop
from handlers.correspondence import Writing
from handlers.introduced import how_to_reach, listed, mine, others, plain_first, who
from handlers.letters import Letter, Tap, Template
from handlers.meeting_cards import Meet
from handlers.meeting_time_cards import AgreeOnTime
from handlers.turns import Turn
from handlers.words import Html, Words, quote
from storage import introduction_parties, introductions, members
from storage.introduction_parties import Party
from storage.introductions import Outcome
from storage.tables import Answer, Introduction, Occasion, Progress, Theme


class Respond(CallbackData, prefix="respond"):
    """My answer to a proposal. `about`: of "never", the place of whom I mean; -1: the other."""

    introduction: int
    answer: Answer
    about: int = -1


class Surely(CallbackData, prefix="surely"):
    """Never this person: ask me back first."""

    introduction: int


# --- the letters ----------------------------------------------------------------------------


async def write(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """Proposals, and their nudges; None for one that was answered or is over."""
    found, themes = await _read(db, writings)
    nudged = await introductions.awaited(
        db, [(w.about["introduction"], w.member.id) for w in writings if w.about.get("nudge")]
    )
    letters: list[Letter | None] = []
    for one in writings:
        id_ = one.about["introduction"]
        party = mine(found, id_, one.member)
        if (id_, one.member.id) in nudged:
            letters.append(_nudge(one.words, id_, party))
        # Whom the proposal did not reach reads it now, if all are still there.
        elif party is None or not _waits_for(*party):
            letters.append(None)
        else:
            letters.append(proposal(one.words, *party, themes))
    return letters


def _nudge(words: Words, introduction: int, party: tuple[Party, int] | None) -> Letter:
    """Once more, without a word of who it is: the same if somebody has left meanwhile.

    Only of several requests from the directory a name tells which is meant.
    """
    if party is not None and party[0].introduction.occasion == Occasion.DIRECTORY:
        text = words(
            "⏳ There is still time to answer the introduction to {names}.",
            names=listed(words, others(*party)),
        )
    else:
        text = words("⏳ There is still time to answer the introduction that I proposed to you.")
    return Letter(text, _taps(words, introduction), template=Template("introduction_nudge"))


async def write_agreed(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """All said yes: who they are, how to reach them, and how to begin."""
    found, themes = await _read(db, writings)
    letters: list[Letter | None] = []
    for one in writings:
        party = mine(found, one.about["introduction"], one.member)
        agreed = party is not None and party[0].introduction.progress == Progress.AGREED
        if party is None or not agreed or not party[0].willing:
            letters.append(None)
            continue
        letters.append(await _introduced(db, one.words, *party, themes))
    return letters


async def write_ended(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """It did not work out: the same words whatever the reason was."""
    found, _ = await _read(db, writings)
    letters: list[Letter | None] = []
    for one in writings:
        party = mine(found, one.about["introduction"], one.member)
        if party is None or _somebody_is_missing(party[0].introduction):
            # Their name was forgotten with them.
            text = one.words(
                "The introduction did not work out this time. I'll propose somebody else to you."
            )
        else:
            text = one.words(
                "The introduction to {names} did not work out this time. "
                "I'll propose somebody else to you.",
                names=listed(one.words, others(*party)),
            )
        letters.append(Letter(text, template=Template("introduction_end")))
    return letters


async def write_paused(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """A member was paused after some silence: they are told, and how to come back."""
    del db
    return [
        Letter(
            one.words(
                "⏸ You did not answer my last proposals, so I propose nobody to you for now. "
                "Come back whenever you like."
            ),
            ((Tap(one.words.label("▶️ Come back"), Meet(page="resume").pack()),),),
        )
        for one in writings
    ]


def proposal(words: Words, party: Party, place: int, themes: Mapping[int, Theme]) -> Letter:
    """Who is proposed and why; no contact, and no family name."""
    lines = [words("🤝 <b>Somebody for you to meet</b>"), ""]
    for at, member in enumerate(party.members):
        if at == place:
            continue
        lines.append(who(words, member))
        if party.lines[at]:
            lines.append(Html(f"<i>{quote(party.lines[at] or '')}</i>"))
    reasons = introduction_reasons.told(words, party, place, themes)
    if reasons:
        lines += ["", *[Html(f"• {reason}") for reason in reasons]]
    asker = party.introduction.asked_why
    if asker and party.introduction.asker_id != party.members[place].id:
        lines += ["", words("They write: {why}", why=asker)]
    lines += [
        "",
        words("If all of you say yes, each gets the other's contact. A no is told to nobody."),
        stop.way_out(words),
    ]
    return Letter(
        Html("\n".join(lines)),
        _taps(words, party.introduction.id),
        template=Template("introduction", tuple(map(plain_first, others(party, place)))),
    )


def _taps(words: Words, introduction: int) -> tuple[tuple[Tap, ...], ...]:
    def answer(said: Answer) -> str:
        return Respond(introduction=introduction, answer=said).pack()

    return (
        (
            Tap(words.label("✅ Yes, introduce us"), answer(Answer.YES)),
            Tap(words.label("Not now"), answer(Answer.NOT_NOW)),
        ),
        (Tap(words.label("🚫 Not this person"), Surely(introduction=introduction).pack()),),
    )


async def _introduced(
    db: AsyncSession, words: Words, party: Party, place: int, themes: Mapping[int, Theme]
) -> Letter:
    lines = [words("🎉 <b>All of you said yes</b>"), ""]
    lines += await how_to_reach(db, words, party, place)
    reasons = introduction_reasons.told(words, party, place, themes)
    if reasons:
        lines += ["", *[Html(f"• {reason}") for reason in reasons]]
    lines.append("")
    opening = words.label(
        "Hello {names}, Jisr has just introduced us. When would a short call suit you?",
        names=", ".join(map(plain_first, others(party, place))),
    )
    introduction = party.introduction
    lines.append(words("To begin, for instance: {opening}", opening=opening))
    agree = Tap(words.label("📅 Agree on a time"), AgreeOnTime(introduction=introduction.id).pack())
    return Letter(Html("\n".join(lines)), ((agree,),), template=Template("introduced"))


def _somebody_is_missing(introduction: Introduction) -> bool:
    ended, lapses = introduction.ended_at, introduction.lapses_at
    return ended is not None and lapses is not None and ended < lapses


def _waits_for(party: Party, place: int) -> bool:
    """Whether there is still something to ask of this side."""
    standing = party.introduction.progress == Progress.PROPOSED
    return standing and party.willing and party.sides[place].answer is None


async def _read(
    db: AsyncSession, writings: Sequence[Writing]
) -> tuple[Mapping[int, Party], Mapping[int, Theme]]:
    found = await introduction_parties.parties(db, [one.about["introduction"] for one in writings])
    return found, {theme.id: theme for theme in await members.all_themes(db)}


# --- the answer -----------------------------------------------------------------------------


async def respond(_tap: CallbackQuery, callback_data: Respond, turn: Turn) -> None:
    """A member answers by tap, and may change their mind while it stands."""
    about = callback_data.about if callback_data.about >= 0 else None
    outcome = await introductions.answer(
        turn.db,
        turn.member,
        callback_data.introduction,
        callback_data.answer,
        turn.now,
        about=about,
    )
    words = turn.words
    if outcome == Outcome.OVER:
        turn.say.toast(words.label("This proposal is over."))
        return
    if outcome == Outcome.AGREED:
        turn.say.toast(words.label("All of you said yes!"))
        said = words("✅ You said yes.")
        turn.say.edit(await _card(turn, callback_data.introduction, said))
        return
    noted = {
        Answer.YES: words("✅ You said yes. I'll tell you how it goes."),
        Answer.NOT_NOW: words("You said: not now. Nobody is told."),
        Answer.NEVER: words("This person is never proposed to you again. Nobody is told."),
    }[callback_data.answer]
    again: tuple[tuple[Tap, ...], ...] = ()
    if callback_data.answer != Answer.NEVER:
        other = Answer.NOT_NOW if callback_data.answer == Answer.YES else Answer.YES
        label = words.label("Not now") if other == Answer.NOT_NOW else words.label("Yes, after all")
        data = Respond(introduction=callback_data.introduction, answer=other).pack()
        again = ((Tap(label, data),),)
    turn.say.edit(await _card(turn, callback_data.introduction, noted, again))


async def surely(_tap: CallbackQuery, callback_data: Surely, turn: Turn) -> None:
    """Not this person: as it is final it is asked back, and of a trio who is meant."""
    words = turn.words
    id_ = callback_data.introduction
    if not await introductions.stands(turn.db, turn.member, id_, turn.now):
        turn.say.toast(words.label("This proposal is over."))
        return
    found = await introduction_parties.parties(turn.db, [id_])
    party = mine(found, id_, turn.member)
    if party is None:
        never = Respond(introduction=id_, answer=Answer.NEVER).pack()
        rows = [(Tap(words.label("Never this person"), never),)]
    else:
        rows = [
            (
                Tap(
                    words.label("Never {name}", name=plain_first(member)),
                    Respond(introduction=id_, answer=Answer.NEVER, about=at).pack(),
                ),
            )
            for at, member in enumerate(party[0].members)
            if at != party[1]
        ]
    back = Respond(introduction=id_, answer=Answer.NOT_NOW).pack()
    turn.say.edit(
        Letter(
            words("Never propose this person to you again? This can't be undone. Nobody is told."),
            (*rows, (Tap(words.label("Only not now"), back),)),
        )
    )


async def _card(
    turn: Turn, introduction_id: int, last: Html, taps: tuple[tuple[Tap, ...], ...] = ()
) -> Letter:
    found = await introduction_parties.parties(turn.db, [introduction_id])
    party = mine(found, introduction_id, turn.member)
    people = [who(turn.words, member) for member in others(*party)] if party else []
    return Letter(Html("\n".join([*people, *([""] if people else []), last])), taps)


def router() -> Router:
    """Introductions, wired."""
    r = Router(name="introductions")
    r.callback_query.register(respond, Respond.filter())
    r.callback_query.register(surely, Surely.filter())
    return r
