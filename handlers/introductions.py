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
from handlers.letters import Letter, Tap, Template
from handlers.meeting_cards import Meet
from handlers.meeting_words import first_name
from handlers.turns import Turn
from handlers.words import Html, Words, quote
from storage import introduction_parties, introductions, members
from storage.introduction_parties import Party
from storage.introductions import Outcome
from storage.tables import Answer, Introduction, Member, Progress, Theme


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
    letters: list[Letter | None] = []
    for one in writings:
        mine = _mine(found, one.about["introduction"], one.member)
        if mine is None or not _waits_for(*mine):
            letters.append(None)
            continue
        letter = proposal(one.words, *mine, themes)
        if one.about.get("nudge"):
            hint = one.words("⏳ There is still time to answer:")
            letter = letter.with_first_line(hint)
        letters.append(letter)
    return letters


async def write_agreed(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """All said yes: who they are, how to reach them, and how to begin."""
    found, themes = await _read(db, writings)
    letters: list[Letter | None] = []
    for one in writings:
        mine = _mine(found, one.about["introduction"], one.member)
        agreed = mine is not None and mine[0].introduction.progress == Progress.AGREED
        if mine is None or not agreed or not mine[0].willing:
            letters.append(None)
            continue
        letters.append(await _introduced(db, one.words, *mine, themes))
    return letters


async def write_ended(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """It did not work out: the same words whatever the reason was."""
    found, _ = await _read(db, writings)
    letters: list[Letter | None] = []
    for one in writings:
        mine = _mine(found, one.about["introduction"], one.member)
        if mine is None:
            letters.append(None)
            continue
        names = _others(*mine)
        text = one.words(
            "The introduction to {names} did not work out this time. "
            "I'll propose somebody else to you.",
            names=_listed(one.words, names),
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
    others = [(at, party.members[at]) for at in range(len(party.members)) if at != place]
    lines = [words("🤝 <b>Somebody for you to meet</b>"), ""]
    for at, member in others:
        lines.append(_who(words, member))
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
        _taps(words, party.introduction),
        template=Template("introduction", tuple(str(first_name(m)) for _, m in others)),
    )


def _taps(words: Words, introduction: Introduction) -> tuple[tuple[Tap, ...], ...]:
    def answer(said: Answer) -> str:
        return Respond(introduction=introduction.id, answer=said).pack()

    return (
        (
            Tap(words.label("✅ Yes, introduce us"), answer(Answer.YES)),
            Tap(words.label("Not now"), answer(Answer.NOT_NOW)),
        ),
        (Tap(words.label("🚫 Not this person"), Surely(introduction=introduction.id).pack()),),
    )


async def _introduced(
    db: AsyncSession, words: Words, party: Party, place: int, themes: Mapping[int, Theme]
) -> Letter:
    reached = await introduction_parties.contacts(db, party)
    lines = [words("🎉 <b>All of you said yes</b>"), ""]
    for at, member in enumerate(party.members):
        if at == place:
            continue
        lines.append(_who(words, member, whole=True))
        written, chat = reached[at]
        if written:
            lines.append(words("To reach them: {contact}", contact=written))
        elif chat and chat.isdecimal():
            # Bot API, "Formatting options": a mention of a user by their id.
            link = Html(f'<a href="tg://user?id={chat}">{quote(member.name or "")}</a>')
            lines.append(words("To reach them, here: {contact}", contact=link))
        else:
            lines.append(words("They will write to you."))
    reasons = introduction_reasons.told(words, party, place, themes)
    if reasons:
        lines += ["", *[Html(f"• {reason}") for reason in reasons]]
    lines.append("")
    opening = words.label(
        "Hello {names}, Jisr has just introduced us. When would a short call suit you?",
        names=", ".join(
            _plain_first(party.members[at]) for at in range(len(party.members)) if at != place
        ),
    )
    lines.append(words("To begin, for instance: {opening}", opening=opening))
    return Letter(Html("\n".join(lines)), template=Template("introduced"))


def _who(words: Words, member: Member, *, whole: bool = False) -> Html:
    name = quote(member.name or "") if whole else first_name(member)
    place = words.place(member.city or "")
    about = [quote(part) for part in (member.profession or "", place) if part]
    return Html(" · ".join([f"<b>{name}</b>", *about]))


def _others(party: Party, place: int) -> Sequence[Member]:
    return [member for at, member in enumerate(party.members) if at != place]


def _listed(words: Words, people: Sequence[Member]) -> Html:
    return words.listed([_plain_first(member) for member in people])


def _plain_first(member: Member) -> str:
    return (member.name or "–").split()[0]


def _mine(
    found: Mapping[int, Party], introduction_id: int, member: Member
) -> tuple[Party, int] | None:
    """The introduction and the member's place in it, if it is theirs."""
    party = found.get(introduction_id)
    place = party.place_of(member.id) if party else None
    return None if party is None or place is None else (party, place)


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
        turn.say.edit(await _card(turn, callback_data.introduction, words("✅ You said yes.")))
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
    found = await introduction_parties.parties(turn.db, [callback_data.introduction])
    mine = _mine(found, callback_data.introduction, turn.member)
    if mine is None or mine[0].introduction.progress != Progress.PROPOSED:
        turn.say.toast(words.label("This proposal is over."))
        return
    party, place = mine
    rows = [
        (
            Tap(
                words.label("Never {name}", name=_plain_first(member)),
                Respond(
                    introduction=callback_data.introduction, answer=Answer.NEVER, about=at
                ).pack(),
            ),
        )
        for at, member in enumerate(party.members)
        if at != place
    ]
    back = Respond(introduction=callback_data.introduction, answer=Answer.NOT_NOW).pack()
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
    mine = _mine(found, introduction_id, turn.member)
    who = [_who(turn.words, member) for member in _others(*mine)] if mine else []
    return Letter(Html("\n".join([*who, "", last])), taps)


def router() -> Router:
    """Introductions, wired."""
    r = Router(name="introductions")
    r.callback_query.register(respond, Respond.filter())
    r.callback_query.register(surely, Surely.filter())
    return r
