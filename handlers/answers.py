"""Answers: buttons under an announcement, counted by tap, which may be changed.

Nobody is asked twice and nothing is said anew: a toast tells that the answer is kept, and the mark
moves on the buttons.
"""

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message

from handlers.letters import Tap
from handlers.turns import Turn
from handlers.words import Words
from storage import answers
from storage.tables import Announcement, Stage

# Two answers of at most so many characters stand side by side.
SHORT = 16
_MARK = "✓ "
# The stages in which nobody has received it yet: what is tapped is a preview.
_UNSENT = (Stage.DRAFT, Stage.AWAITING, Stage.READY)


class Choose(CallbackData, prefix="answer"):
    """This is my answer, by its place from 0."""

    announcement: int
    answer: int


def taps(
    announcement: Announcement, words: Words, chosen: int | None = None
) -> tuple[tuple[Tap, ...], ...]:
    """The rows of answers under an announcement, in these words; the chosen one is marked."""
    labels = [words.pick(answer) for answer in (announcement.answers or ())[: answers.MOST]]
    all_ = [
        Tap(
            f"{_MARK}{label}" if number == chosen else label,
            Choose(announcement=announcement.id, answer=number).pack(),
        )
        for number, label in enumerate(labels)
    ]
    width = 2 if all(len(label) <= SHORT for label in labels) else 1
    return tuple(tuple(all_[at : at + width]) for at in range(0, len(all_), width))


async def choose(tap: CallbackQuery, callback_data: Choose, turn: Turn) -> None:
    """An answer is tapped: kept at once, or changed."""
    given = await answers.give(
        turn.db, turn.member, callback_data.announcement, callback_data.answer, turn.now
    )
    if given is None:
        turn.say.toast(await _why_not(turn, callback_data))
        return
    label = turn.words.pick((given.announcement.answers or [])[given.chosen])
    turn.say.toast(turn.words.label("Thank you. Your answer: {answer}", answer=label))
    if rows := _marked(tap, given.announcement.id, given.chosen):
        turn.say.mark(rows)


async def _why_not(turn: Turn, asked: Choose) -> str:
    announcement = await turn.db.get(Announcement, asked.announcement)
    if announcement is None or asked.answer not in range(len(announcement.answers or ())):
        return turn.words.label("This question is no longer there.")
    if announcement.stage in _UNSENT and turn.is_staff:
        return turn.words.label("This is a preview: answers count once it is sent.")
    return turn.words.label("Only those who received this announcement can answer it.")


def _marked(tap: CallbackQuery, announcement_id: int, chosen: int) -> tuple[tuple[Tap, ...], ...]:
    """The buttons of the tapped message, with the mark where it belongs.

    They are taken as they stand there: its words and its file are none of our business here.
    """
    markup = tap.message.reply_markup if isinstance(tap.message, Message) else None
    rows = []
    for row in markup.inline_keyboard if markup else ():
        buttons = []
        for button in row:
            label, data = button.text, button.callback_data
            if data is not None and data.startswith(f"{Choose.__prefix__}:"):
                theirs = Choose.unpack(data)
                mine = theirs.announcement == announcement_id and theirs.answer == chosen
                label = _MARK * mine + label.removeprefix(_MARK)
            buttons.append(Tap(label, data, button.url, button.switch_inline_query))
        rows.append(tuple(buttons))
    return tuple(rows)


def router() -> Router:
    """Answers, wired."""
    r = Router(name="answers")
    r.callback_query.register(choose, Choose.filter())
    return r
