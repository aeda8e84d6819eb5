"""When an announcement leaves: at once or at a time, by whose clocks, and for whom joins later.

A time is a wall-clock time, in the author's own zone or in each reader's. Quiet hours are kept
unless staff say that it can't wait.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from handlers import announce
from handlers import announce_parts as parts
from handlers.announce_parts import Compose, Composing, homeward, tap
from handlers.dates import read_day, read_time
from handlers.letters import Letter, Tap
from handlers.tickets import of_staff
from handlers.turns import Turn
from handlers.words import Html
from storage import announcements
from storage.announcements import JOINER_DAYS
from storage.tables import Announcement

# Whose clocks are meant: the author's, or each reader's.
MINE, THEIRS = "mine", "theirs"
# Nobody plans further ahead, and the year is more likely a slip.
_FURTHEST = timedelta(days=366)


async def when(_tap: CallbackQuery, callback_data: Compose, turn: Turn, state: FSMContext) -> None:
    """The page of the time."""
    await parts.close(state)
    found = await announce.mine(turn, callback_data.announcement)
    if found is not None:
        turn.say.edit(_page(turn, found))


def _page(turn: Turn, found: Announcement) -> Letter:
    words, here = turn.words, found.id

    def choice(label: str, verb: str, value: str, *, chosen: bool) -> tuple[Tap, ...]:
        return (tap(f"{'✅' if chosen else '▫️'} {label}", verb, here, value),)

    by_mine = found.local_time is not None and found.zone is not None
    by_theirs = found.local_time is not None and found.zone is None
    joiners = {
        0: words.label("Nobody who joins later"),
        7: words.label("Who joins within 7 days"),
        30: words.label("Who joins within 30 days"),
    }
    rows = [
        choice(words.label("At once"), "now", "", chosen=found.local_time is None),
        choice(words.label("At a time, by my clocks"), "at", MINE, chosen=by_mine),
        choice(words.label("At a time, by each reader's clocks"), "at", THEIRS, chosen=by_theirs),
        choice(words.label("Not in quiet hours"), "quiet", "", chosen=found.quietly),
        *(
            choice(joiners[days], "joiners", str(days), chosen=found.joiner_days == days)
            for days in JOINER_DAYS
        ),
        homeward(turn, here),
    ]
    lines = [words("<b>When does it leave, and for whom?</b>"), *parts.when_lines(words, found)]
    return Letter(Html("\n".join(lines)), tuple(rows))


async def at_once(_tap: CallbackQuery, callback_data: Compose, turn: Turn) -> None:
    """As soon as it is sent."""
    await _change(turn, callback_data, local_time=None, zone=None)


async def quiet(_tap: CallbackQuery, callback_data: Compose, turn: Turn) -> None:
    """Whether it waits for the end of quiet hours: the other way round."""
    found = await announcements.by_id(turn.db, callback_data.announcement)
    await _change(turn, callback_data, quietly=not (found and found.quietly))


async def joiners(_tap: CallbackQuery, callback_data: Compose, turn: Turn) -> None:
    """For how many days those who join receive it, too."""
    days = int(callback_data.value) if callback_data.value.isdecimal() else 0
    await _change(turn, callback_data, joiner_days=days if days in JOINER_DAYS else 0)


async def _change(turn: Turn, callback_data: Compose, **values: object) -> None:
    found = await announce.mine(turn, callback_data.announcement)
    if found is not None:
        await announce.changed(turn, found, **values)
        turn.say.edit(_page(turn, found))


# --- a day and a time -----------------------------------------------------------------------


async def at(_tap: CallbackQuery, callback_data: Compose, turn: Turn, state: FSMContext) -> None:
    """On which day?"""
    found = await announce.mine(turn, callback_data.announcement)
    if found is None:
        return
    words, whose = turn.words, THEIRS if callback_data.value == THEIRS else MINE
    today = turn.now.astimezone(parts.zone_of(turn.member)).date()
    days = [today + timedelta(days=ahead) for ahead in range(4)]
    offered = [tap(words.short_day(day), "day", found.id, day.isoformat()) for day in days]
    back = (tap(words.label("‹ Back"), "when", found.id),)
    ask = words("On which day does it leave? For example: 12/12, or 12 December.")
    letter = Letter(ask, (tuple(offered[:2]), tuple(offered[2:]), back))
    await parts.ask(turn, state, Composing.day, letter, announcement=found.id, whose=whose)


async def day_tapped(
    _tap: CallbackQuery, callback_data: Compose, turn: Turn, state: FSMContext
) -> None:
    """A day, by tap."""
    await _day(turn, state, _iso_day(callback_data.value), edit=True)


async def day_typed(message: Message, turn: Turn, state: FSMContext) -> None:
    """A day, in words."""
    today = turn.now.astimezone(parts.zone_of(turn.member)).date()
    await _day(turn, state, read_day(parts.typed_words(message), today), edit=False)


async def _day(turn: Turn, state: FSMContext, day: date | None, *, edit: bool) -> None:
    words, about = turn.words, await parts.asked(state)
    today = turn.now.astimezone(parts.zone_of(turn.member)).date()
    if day is None:
        hint = words("I can't read this day. Write it like 12/12 or 12/12/2026.")
        await parts.again(turn, state, hint)
        return
    if not today <= day <= today + _FURTHEST:
        await parts.again(turn, state, words("That day is over, or more than a year away."))
        return
    back = (tap(words.label("‹ Back"), "when", about["announcement"]),)
    ask = words("At what time? For example: 9:00, or 18h30.")
    letter = Letter(Html(f"{words.day(day)}\n{ask}"), (back,))
    kept = {name: about[name] for name in ("announcement", "whose")} | {"day": day.isoformat()}
    await parts.ask(turn, state, Composing.time, letter, edit=edit, **kept)


async def time_typed(message: Message, turn: Turn, state: FSMContext) -> None:
    """The time; with it all is known."""
    words, about = turn.words, await parts.asked(state)
    clock = read_time(parts.typed_words(message))
    if clock is None:
        await parts.again(turn, state, words("I can't read this time. Write it like 14:30."))
        return
    zone = parts.zone_of(turn.member)
    local = datetime.combine(date.fromisoformat(about["day"]), clock, zone)
    if hint := _wrong(turn, local, clock, zone):
        await parts.again(turn, state, hint)
        return
    await parts.close(state)
    found = await announce.mine(turn, about["announcement"])
    if found is None:
        return
    kept = local.replace(tzinfo=None).isoformat(timespec="minutes")
    by = zone.key if about["whose"] == MINE else None
    await announce.changed(turn, found, local_time=kept, zone=by)
    turn.say(_page(turn, found))


def _wrong(turn: Turn, local: datetime, clock: time, zone: ZoneInfo) -> Html | None:
    words = turn.words
    if local.astimezone(UTC).astimezone(zone).time() != clock:
        return words("Clocks go forward in that hour: choose another time.")
    return words("That time is over: choose a later one.") if local <= turn.now else None


def _iso_day(value: str) -> date | None:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def router() -> Router:
    """The time, wired: what is typed comes before other questions."""
    r = Router(name="announce_when")
    for verb, handler in (
        ("when", when),
        ("now", at_once),
        ("quiet", quiet),
        ("joiners", joiners),
        ("at", at),
    ):
        r.callback_query.register(handler, Compose.filter(F.verb == verb), of_staff)
    r.callback_query.register(day_tapped, Compose.filter(F.verb == "day"), Composing.day, of_staff)
    r.message.register(day_typed, Composing.day, parts.not_a_command, of_staff)
    r.message.register(time_typed, Composing.time, parts.not_a_command, of_staff)
    return r
