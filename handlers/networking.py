"""Networking: rounds at tables, for those who sit there.

A guest is told a table, a name and a reason before each round; one tap says "I'm here", another
that nobody came. `handlers/networking_hold.py` is for staff.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery
from sqlalchemy.ext.asyncio import AsyncSession

from handlers.correspondence import Writing
from handlers.letters import Letter, Tap
from handlers.turns import Turn
from handlers.words import Html, Words, quote
from storage import members, networking_guests, networking_scenes
from storage.networking_scenes import Scene, Seated
from storage.networking_tables import Pair
from storage.tables import Course, Theme


class Join(CallbackData, prefix="netjoin"):
    """I take part."""

    session: int


class Leave(CallbackData, prefix="netleave"):
    """I take part no longer."""

    session: int


class Here(CallbackData, prefix="nethere"):
    """I'm at my table of this round, or (alone) I am, and nobody else came."""

    session: int
    round: int
    alone: bool = False


async def write_invitations(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """The invitations; None once it is over."""
    found = await _scenes(db, writings)
    letters: list[Letter | None] = []
    for one in writings:
        scene, words = found[one.about["session"]], one.words
        if scene is None or scene.networking.course == Course.ENDED:
            letters.append(None)
            continue
        letters.append(
            Letter(
                words(
                    "<b>🤝 Meet the people here</b>\n{title}\n\n"
                    "Short rounds at tables: each time somebody else, and a reason to talk. "
                    "Those at your table see your name, city and profession; "
                    "the screen in the room shows your first name.",
                    title=words.pick(scene.session.title),
                ),
                (_join(words, scene.session.id),),
            )
        )
    return letters


async def join(_tap: CallbackQuery, callback_data: Join, turn: Turn) -> None:
    """Take part, now or again."""
    words = turn.words
    outcome = await networking_guests.join(turn.db, turn.member, callback_data.session, turn.now)
    if outcome == "closed":
        turn.say.toast(words.label("This networking session is over."))
    elif outcome == "absent":
        turn.say.toast(words.label("This is for those who are checked in at the door."))
    else:
        turn.say.edit(await _taking_part(turn, callback_data.session))


async def leave(_tap: CallbackQuery, callback_data: Leave, turn: Turn) -> None:
    """Leave, with a way back."""
    words = turn.words
    if not await networking_guests.leave(turn.db, turn.member, callback_data.session, turn.now):
        turn.say.toast(words.label("You don't take part at the moment."))
        return
    turn.say.edit(
        Letter(
            words("You have left. Thank you for having been with us!"),
            (_join(words, callback_data.session),),
        )
    )


async def here(_tap: CallbackQuery, callback_data: Here, turn: Turn) -> None:
    """Somebody is at their table, perhaps alone."""
    words, session, number = turn.words, callback_data.session, callback_data.round
    if callback_data.alone:
        became = await networking_guests.nobody_came(
            turn.db, turn.member, session, number, turn.now
        )
        card = await _table_card(turn, session, number)
        if became == "waited":
            turn.say.toast(words.label("Please wait a moment: somebody said that they are there."))
            return
        if became != "over" and card is not None:
            join_ = words("Please join another table:")
            turn.say.edit(card.with_first_line(join_) if became == "moved" else card)
            return
    if await networking_guests.here(turn.db, turn.member, session, number, turn.now):
        turn.say.toast(words.label("Good. Enjoy the conversation!"))
        return
    # The round is over, or their place was given up: they are in again from the next one on.
    outcome = await networking_guests.join(turn.db, turn.member, session, turn.now)
    if outcome in ("closed", "absent"):
        turn.say.toast(words.label("This networking session is over."))
    else:
        turn.say.edit(await _taking_part(turn, session))


async def _taking_part(turn: Turn, session_id: int) -> Letter:
    words = turn.words
    scene = await networking_scenes.scene(turn.db, session_id)
    lines = [words("✅ You take part.")]
    if scene is not None and scene.networking.course == Course.GATHERING:
        lines.append(words("It begins in a moment: I tell you your table."))
    elif scene is not None and scene.networking.drawn < scene.networking.rounds:
        lines.append(words("Your table comes with the next round."))
    else:
        lines.append(words("The last round is on: perhaps somebody stays a little longer."))
    return Letter(Html("\n".join(lines)), (_leave(words, session_id),))


async def write_tables(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """Where to sit, with whom and why; None for whoever left, or a round that is over."""
    found = await _scenes(db, writings)
    rounds = {(one.about["session"], one.about["round"]) for one in writings}
    seated = await networking_scenes.tables(db, rounds)
    themes = {theme.id: theme for theme in await members.all_themes(db)}
    met = {one: await networking_guests.met_pairs(db, *one) for one in rounds}
    letters: list[Letter | None] = []
    for one in writings:
        scene, number = found[one.about["session"]], one.about["round"]
        if scene is None or scene.networking.course == Course.ENDED:
            letters.append(None)
            continue
        begins = datetime.fromtimestamp(one.about["begins"], UTC)
        people = seated.get((scene.session.id, number), [])
        round_ = _Round(scene, number, people, themes, met[scene.session.id, number], begins)
        letters.append(_table(one.words, round_, one.member.id))
    return letters


async def _table_card(turn: Turn, session_id: int, number: int) -> Letter | None:
    scene = await networking_scenes.scene(turn.db, session_id)
    if scene is None:
        return None
    met = await networking_guests.met_pairs(turn.db, session_id, number)
    people = (await networking_scenes.tables(turn.db, [(session_id, number)])).get(
        (session_id, number), []
    )
    themes = {theme.id: theme for theme in await members.all_themes(turn.db)}
    return _table(turn.words, _Round(scene, number, people, themes, met, None), turn.member.id)


@dataclass(frozen=True, slots=True)
class _Round:
    scene: Scene
    number: int
    people: Sequence[Seated]
    themes: Mapping[int, Theme]
    met: Mapping[Pair, int]
    # None: it has begun.
    begins: datetime | None


def _table(words: Words, round_: _Round, member_id: int) -> Letter | None:
    scene, people = round_.scene, round_.people
    me = next((one for one in people if one.member.id == member_id), None)
    if me is None:
        return None
    others = [one for one in people if one.table == me.table and one is not me]
    lines = [
        words(
            "<b>Round {n} of {all} · table {table}</b>",
            n=round_.number,
            all=scene.networking.rounds,
            table=me.table,
        )
    ]
    if round_.begins is not None:
        at = words.clock(round_.begins, ZoneInfo(scene.event.timezone))
        lines.append(words("It begins at {time}.", time=at))
    for other in others:
        lines += [Html(""), _who(words, other), _reason(words, me, other, round_)]
    session_id = scene.session.id
    if not others:
        lines += [Html(""), words("Nobody else is free this time. Whoever comes later joins you.")]
        return Letter(Html("\n".join(lines)), (_leave(words, session_id),))
    here_ = Here(session=session_id, round=round_.number).pack()
    alone = Here(session=session_id, round=round_.number, alone=True).pack()
    return Letter(
        Html("\n".join(lines)),
        (
            (Tap(words.label("✅ I'm here"), here_),),
            (Tap(words.label("Nobody came"), alone), *_leave(words, session_id)),
        ),
    )


def _who(words: Words, other: Seated) -> Html:
    facts = [words.place(other.member.city or ""), other.member.profession or ""]
    about = words.series([fact for fact in facts if fact])
    name = Html(f"<b>{quote(other.member.name or '—')}</b>")
    return Html(f"👤 {name} · {about}") if about else Html(f"👤 {name}")


def _reason(words: Words, me: Seated, other: Seated, round_: _Round) -> Html:
    if frozenset((me.member.id, other.member.id)) in round_.met:
        return words("You have met here before: go on from where you stopped.")
    themes = round_.themes
    shared = sorted(me.themes & other.themes)
    if shared:
        names = [words.pick(themes[one].name) for one in shared if one in themes]
        return words("You both follow: {themes}.", themes=words.listed(names))
    if me.member.side and other.member.side and me.member.side != other.member.side:
        return words("One of you lives in Morocco, the other abroad: two views of one bridge.")
    return words("You have not met here yet.")


def _join(words: Words, session_id: int) -> tuple[Tap, ...]:
    return (Tap(words.label("I take part"), Join(session=session_id).pack()),)


def _leave(words: Words, session_id: int) -> tuple[Tap, ...]:
    return (Tap(words.label("I'm leaving"), Leave(session=session_id).pack()),)


async def _scenes(db: AsyncSession, writings: Sequence[Writing]) -> dict[int, Scene | None]:
    return {
        session_id: await networking_scenes.scene(db, session_id)
        for session_id in {one.about["session"] for one in writings}
    }


def router() -> Router:
    """Networking, wired."""
    r = Router(name="networking")
    r.callback_query.register(join, Join.filter())
    r.callback_query.register(leave, Leave.filter())
    r.callback_query.register(here, Here.filter())
    return r
