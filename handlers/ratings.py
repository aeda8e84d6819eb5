"""Ratings: one tap after a session, a sentence for those who like, and what staff read of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from aiogram import F, Router
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from babel.numbers import format_decimal
from sqlalchemy.ext.asyncio import AsyncSession

from handlers import correspondence
from handlers.events import paged
from handlers.letters import Letter, Tap
from handlers.tickets import DoorCard, RatingsCard, of_staff
from handlers.turns import Turn
from handlers.words import Html, Words, cleaned, quote
from storage import events, ratings
from storage.ratings import SENTENCE, Opinion
from storage.tables import Session

# How long words are taken for the sentence that was asked for.
PATIENCE = timedelta(hours=1)
STAR = "⭐"


class Rate(CallbackData, prefix="rate"):
    """So many stars for this session; 0: no, thank you."""

    session: int
    stars: int


class Comment(CallbackData, prefix="comment"):
    """I want to add a sentence."""

    session: int


class NoComment(CallbackData, prefix="nocomment"):
    """No sentence after all."""

    session: int


class Writing(StatesGroup):
    """A sentence is being written; the conversation has its session, and since when."""

    open = State()


# --- the member's side ----------------------------------------------------------------------


async def write(
    db: AsyncSession, writings: Sequence[correspondence.Writing]
) -> list[Letter | None]:
    """The questions; None for whoever has rated, or of a session that did not take place."""
    asked = await ratings.to_ask(db, [(one.about["session"], one.member.id) for one in writings])
    letters: list[Letter | None] = []
    for one in writings:
        found = asked.get((one.about["session"], one.member.id))
        letters.append(_question(one.words, found[0]) if found else None)
    return letters


def _question(words: Words, session: Session) -> Letter:
    no = Tap(words.label("No, thank you"), Rate(session=session.id, stars=0).pack())
    return Letter(
        words(
            "<b>How was it?</b>\n{title}\n\n"
            "One tap is enough. The team reads it without your name.",
            title=words.pick(session.title),
        ),
        (_stars(session, None), (no,)),
    )


async def rate(_tap: CallbackQuery, callback_data: Rate, turn: Turn) -> None:
    """The stars, at once on the card; a second tap changes them."""
    words = turn.words
    if callback_data.stars == 0:
        turn.say.edit(Letter(words("All right. Thank you for having been there!")))
        return
    said = await ratings.rate(
        turn.db, turn.member, callback_data.session, callback_data.stars, turn.now
    )
    if said is None:
        turn.say.toast(words.label("This session can't be rated any more."))
        return
    turn.say.toast(words.label("Thank you!"))
    turn.say.edit(_rated(words, said))


async def comment(
    _tap: CallbackQuery, callback_data: Comment, turn: Turn, state: FSMContext
) -> None:
    """Ask for the sentence."""
    words = turn.words
    said = await ratings.opinion(turn.db, turn.member, callback_data.session, turn.now)
    if said is None or said.stars is None:
        turn.say.toast(words.label("This session can't be rated any more."))
        return
    await state.set_state(Writing.open)
    await state.update_data(rated=said.session.id, since=turn.now.isoformat())
    back = NoComment(session=said.session.id).pack()
    turn.say.edit(
        Letter(
            words(
                "{title}\n\nWhat would you like to say? Write it in one message.",
                title=words.pick(said.session.title),
            ),
            ((Tap(words.label("‹ Without a sentence"), back),),),
        )
    )


async def no_comment(
    _tap: CallbackQuery, callback_data: NoComment, turn: Turn, state: FSMContext
) -> None:
    """Back to the stars."""
    if await state.get_state() == Writing.open.state:
        await state.clear()
    said = await ratings.opinion(turn.db, turn.member, callback_data.session, turn.now)
    if said is None or said.stars is None:
        turn.say.toast(turn.words.label("This session can't be rated any more."))
        return
    turn.say.edit(_rated(turn.words, said))


async def commented(message: Message, turn: Turn, state: FSMContext) -> None:
    """The sentence, in words."""
    words = turn.words
    typed = cleaned(message.text or "")
    if not typed or message.forward_origin is not None:
        turn.say(Letter(words("Please answer by writing a short text.")))
        return
    if len(typed) > SENTENCE:
        turn.say(
            Letter(
                words(
                    "That is a little long: {n} characters, and I can keep {most}. "
                    "Please send it again, shorter; /cancel leaves it.",
                    n=len(typed),
                    most=SENTENCE,
                )
            )
        )
        return
    session_id = (await state.get_data())["rated"]
    await state.clear()
    said = await ratings.add(turn.db, turn.member, session_id, typed, turn.now)
    if said is None:
        turn.say(Letter(words("This session can't be rated any more.")))
        return
    turn.say(_rated(words, said))


async def _still_wanted(_message: Message, turn: Turn, state: FSMContext) -> bool:
    """Whether these words are the sentence: an hour later they are about something else."""
    since = (await state.get_data()).get("since")
    if since is not None and turn.now - datetime.fromisoformat(since) <= PATIENCE:
        return True
    await state.clear()
    return False


def _rated(words: Words, said: Opinion) -> Letter:
    lines = [
        quote(words.pick(said.session.title)),
        Html(""),
        words(
            "Your rating: {stars}. Thank you! You can still change it.",
            stars=Html(STAR * (said.stars or 0)),
        ),
    ]
    if said.sentence:
        lines.append(words("“{sentence}”", sentence=said.sentence))
    label = (
        words.label("✍️ Change the sentence") if said.sentence else words.label("✍️ Add a sentence")
    )
    write_ = Tap(label, Comment(session=said.session.id).pack())
    return Letter(Html("\n".join(lines)), (_stars(said.session, said.stars), (write_,)))


def _stars(session: Session, chosen: int | None) -> tuple[Tap, ...]:
    return tuple(
        Tap(
            f"{'✅' if stars == chosen else STAR} {stars}",
            Rate(session=session.id, stars=stars).pack(),
        )
        for stars in ratings.STARS
    )


# --- the staff's side -----------------------------------------------------------------------


async def open_card(_tap: CallbackQuery, callback_data: RatingsCard, turn: Turn) -> None:
    """What people thought of a session: average, counts, and the sentences without names."""
    words = turn.words
    item = await events.item(turn.db, callback_data.session, turn.member)
    if item is None:
        turn.say.toast(words.label("This session is no longer in the programme."))
        return
    tally = await ratings.tally(turn.db, item.session.id)
    title = quote(words.pick(item.session.title))
    lines = [Html(f"⭐ <b>{title}</b>"), Html("")]
    turning: list[tuple[Tap, ...]] = []
    if tally.number:
        average = format_decimal(round(tally.average, 1), locale=words.locale)
        lines.append(
            words.plural(
                "Average: {average} of 5, {n} rating",
                "Average: {average} of 5, {n} ratings",
                tally.number,
                average=average,
            )
        )
        lines += [Html(f"{STAR * stars} {n}") for stars, n in reversed(tally.counts.items())]
        shown, turning = paged(
            words,
            tally.sentences,
            callback_data.page,
            lambda number: RatingsCard(session=item.session.id, page=number),
        )
        for sentence in shown:
            lines += [Html(""), words("“{sentence}”", sentence=sentence)]
    else:
        lines.append(words("Nobody has rated this session yet."))
    door = DoorCard(event=item.event.id, session=item.session.id).pack()
    turn.say.edit(Letter(Html("\n".join(lines)), (*turning, (Tap(words.label("🚪 Door"), door),))))


def router() -> Router:
    """Ratings, wired. What is typed is the sentence only while one is asked for."""
    r = Router(name="ratings")
    r.message.register(commented, Writing.open, ~F.text.startswith("/"), _still_wanted)
    r.callback_query.register(rate, Rate.filter())
    r.callback_query.register(comment, Comment.filter())
    r.callback_query.register(no_comment, NoComment.filter())
    r.callback_query.register(open_card, RatingsCard.filter(), of_staff)
    return r
