"""To whom an announcement goes: an audience put together by taps, told in words and counted.

Every tap is written to the announcement at once, so that nothing is lost, and the card counts anew
who would get it. Whoever has an area stays within it, and is told so. `open_for` opens the card;
its last button is a `Chosen`, which the composer answers.
"""

from collections.abc import Callable
from typing import Any

from aiogram import F, Router
from aiogram.filters import Command, StateFilter
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message

from handlers.audience_words import counted, part_told, told
from handlers.letters import Letter, Tap
from handlers.tickets import of_staff
from handlers.turns import Turn
from handlers.words import Html, Words, cleaned, shortened
from storage import announcements, audience_counts, audience_names, audience_parts, audit, team
from storage.audience_parts import Part
from storage.audiences import Rule
from storage.tables import Announcement

# Of a condition and of a name, what a button shows.
BUTTON = 40
# As wide as the column that keeps a saved audience's name.
_LONGEST_NAME = 80


class Aud(CallbackData, prefix="aud"):
    """A tap of the picker: `verb` on announcement `id`, with a `value`; `but`: to leave out."""

    verb: str
    id: int
    but: int = 0
    value: str = ""


class Chosen(CallbackData, prefix="audok"):
    """The audience is as it should be; answered by the composer."""

    announcement: int


class Picking(StatesGroup):
    """Something is to be written; the conversation's data has `picking`: id and but."""

    place = State()
    name = State()


class Pick:
    """An announcement whose audience is being put together by its author, within their area."""

    def __init__(self, turn: Turn, announcement: Announcement, area: Rule | None) -> None:
        self.turn, self.announcement, self.area = turn, announcement, area

    @property
    def parts(self) -> list[Part]:
        """What was chosen so far."""
        return audience_parts.parts_of(self.announcement.rule, self.area)

    async def write(self, parts: list[Part]) -> None:
        """Let the audience be this, within the area. What was submitted is a draft again."""
        turn, row = self.turn, self.announcement
        rule = audience_parts.rule_of(parts, self.area)
        if await announcements.change(turn.db, row, turn.now, rule=rule):
            about = {"announcement": row.id}
            await audit.record(
                turn.db, turn.member, "announcement.withdrawn", turn.now, about=about
            )
            turn.say.toast(turn.words.label("It is a draft again, and must be sent anew."))


async def open_for(turn: Turn, announcement_id: int) -> Letter:
    """The card, for the composer to show."""
    found = await picked(turn, announcement_id)
    return await card(found) if found else _closed(turn.words, announcement_id)


async def picked(turn: Turn, announcement_id: int) -> Pick | None:
    """The person's own announcement, locked, if it has not left."""
    found = await announcements.editable(turn.db, turn.member, announcement_id)
    return Pick(turn, found, await team.area(turn.db, turn.member)) if found else None


# --- the card -------------------------------------------------------------------------------


async def card(pick: Pick) -> Letter:
    """Whom it means, in words and in numbers, and a tap for each kind of condition."""
    words, here, parts = pick.turn.words, pick.announcement, pick.parts
    names = await audience_names.names_in(pick.turn.db, here.rule, pick.area)
    chosen = audience_parts.rule_of(parts, None)
    lines = [words("<b>👥 To whom</b>"), told(chosen, words, names)]
    if pick.area is not None:
        lines.append(words("Within your area: {area}", area=told(pick.area, words, names)))
    lines += [Html(""), *await count_lines(pick)]
    rows = [*_kinds(words, here.id, but=False)]
    if parts:
        rows.append((_button(words.label("🚫 But not …"), "but", here.id),))
        rows.append(
            (
                _button(words.label("➖ Remove …"), "remove", here.id),
                _button(words.label("💾 Save as …"), "save", here.id),
            )
        )
    rows.append((_button(words.label("📂 Saved audiences"), "saved", here.id),))
    rows.append((done(words, here.id),))
    return Letter(Html("\n".join(lines)), tuple(rows))


async def count_lines(pick: Pick) -> list[Html]:
    """How many it is now; nothing before anybody is chosen."""
    turn, here = pick.turn, pick.announcement
    if here.rule is None:
        return [turn.words("Tap what they have in common. Several conditions must all be true.")]
    languages = list(await announcements.texts_of(turn.db, here.id)) or None
    found = await audience_counts.count(
        turn.db,
        here.rule,
        purpose=here.purpose,
        languages=languages,
        fallback=here.fallback if languages else None,
    )
    return list(counted(turn.words, found))


def _kinds(words: Words, id_: int, *, but: bool) -> list[tuple[Tap, ...]]:
    first = [] if but else [(_button(words.label("Everyone"), "everyone", id_),)]
    return [
        *first,
        (
            _button(words.label("🎫 An event's people"), "events", id_, but=but),
            _button(words.label("🏙 City or country"), "places", id_, but=but),
        ),
        (
            _button(words.label("🏷 Themes"), "themes", id_, but=but),
            _button(words.label("🌍 Side"), "sides", id_, but=but),
            _button(words.label("🗣 Language"), "languages", id_, but=but),
        ),
        (_button(words.label("🗳 An earlier announcement"), "announced", id_, but=but),),
    ]


def _button(label: str, verb: str, id_: int, value: str = "", *, but: bool = False) -> Tap:
    data = Aud(verb=verb, id=id_, but=int(but), value=value)
    return Tap(shortened(label, BUTTON), data.pack())


def done(words: Words, id_: int) -> Tap:
    """The button that goes back to the announcement."""
    return Tap(words.label("✔ Done"), Chosen(announcement=id_).pack())


def _closed(words: Words, id_: int) -> Letter:
    return Letter(words("This can't be changed any more."), ((done(words, id_),),))


# --- taps -----------------------------------------------------------------------------------


async def show(_tap: CallbackQuery, callback_data: Aud, turn: Turn, state: FSMContext) -> None:
    """The card again."""
    await close(state)
    turn.say.edit(await open_for(turn, callback_data.id))


async def everyone(_tap: CallbackQuery, callback_data: Aud, turn: Turn) -> None:
    """Everybody whom its author reaches."""
    if pick := await picked(turn, callback_data.id):
        await pick.write(audience_parts.toggled(pick.parts, {"everyone": True}, but=False))
    turn.say.edit(await open_for(turn, callback_data.id))


async def but_not(_tap: CallbackQuery, callback_data: Aud, turn: Turn) -> None:
    """Who is left out."""
    words, id_ = turn.words, callback_data.id
    if (pick := await picked(turn, id_)) is None:
        turn.say.edit(_closed(words, id_))
        return
    names = await audience_names.names_in(turn.db, pick.announcement.rule)
    said = told(audience_parts.rule_of(pick.parts, None), words, names)
    text = words("{audience}\n\n<b>Whom do you leave out?</b>", audience=said)
    back = (_button(words.label("‹ Back"), "card", id_),)
    turn.say.edit(Letter(text, (*_kinds(words, id_, but=True), back)))


async def removing(_tap: CallbackQuery, callback_data: Aud, turn: Turn) -> None:
    """The conditions, each a button that takes it out."""
    words, id_ = turn.words, callback_data.id
    if (pick := await picked(turn, id_)) is None:
        turn.say.edit(_closed(words, id_))
        return
    names = await audience_names.names_in(turn.db, pick.announcement.rule)
    rows = [
        (_button(f"✕ {part_told(part, words, names)}", "removed", id_, str(number)),)
        for number, part in enumerate(pick.parts)
    ]
    back = (_button(words.label("‹ Back"), "card", id_),)
    turn.say.edit(Letter(words("Which condition do you take out?"), (*rows, back)))


async def removed(_tap: CallbackQuery, callback_data: Aud, turn: Turn) -> None:
    """That one."""
    if pick := await picked(turn, callback_data.id):
        left = [p for n, p in enumerate(pick.parts) if str(n) != callback_data.value]
        await pick.write(left)
    turn.say.edit(await open_for(turn, callback_data.id))


# --- saved ones -----------------------------------------------------------------------------


async def ask_name(_tap: CallbackQuery, callback_data: Aud, turn: Turn, state: FSMContext) -> None:
    """Under which name?"""
    await state.set_state(Picking.name)
    await state.update_data(picking={"id": callback_data.id, "but": False})
    back = (_button(turn.words.label("‹ Back"), "card", callback_data.id),)
    turn.say.edit(Letter(turn.words("Under which name do you save this audience?"), (back,)))


async def named(message: Message, turn: Turn, state: FSMContext) -> None:
    """Under this one."""
    words, id_ = turn.words, (await state.get_data())["picking"]["id"]
    name = cleaned(message.text or "")
    if not name or name.startswith("/") or len(name) > _LONGEST_NAME:
        back = (_button(words.label("‹ Back"), "card", id_),)
        limit = words("Please write a name of at most {limit} characters.", limit=_LONGEST_NAME)
        turn.say(Letter(limit, (back,)))
        return
    await close(state)
    pick = await picked(turn, id_)
    rule = audience_parts.rule_of(pick.parts, None) if pick else None
    if pick is None or rule is None:
        turn.say(await open_for(turn, id_))
        return
    made = await audience_names.save(turn.db, turn.member, name, rule, turn.now)
    about = {"audience": made.id}
    await audit.record(turn.db, turn.member, "audience.saved", turn.now, about=about)
    turn.say((await card(pick)).with_first_line(words("💾 Saved as {name}.", name=name)))


async def saved(_tap: CallbackQuery, callback_data: Aud, turn: Turn) -> None:
    """The saved ones, each to be taken or thrown away."""
    words, id_ = turn.words, callback_data.id
    found = await audience_names.saved(turn.db, turn.member)
    names = await audience_names.names_in(turn.db, *(one.rule for one in found))
    lines = [words("<b>📂 Saved audiences</b>")]
    lines += [
        words("<b>{name}</b>: {audience}", name=one.name, audience=told(one.rule, words, names))
        for one in found
    ]
    if not found:
        lines.append(words("None yet. Put an audience together, then save it under a name."))
    rows = [
        (
            _button(one.name, "load", id_, str(one.id)),
            *([_button("🗑", "drop", id_, str(one.id))] if one.made_by == turn.member.id else []),
        )
        for one in found
    ]
    back = (_button(words.label("‹ Back"), "card", id_),)
    turn.say.edit(Letter(Html("\n\n".join(lines)), (*rows, back)))


async def load(_tap: CallbackQuery, callback_data: Aud, turn: Turn) -> None:
    """Take a saved one, within the area of who takes it."""
    pick = await picked(turn, callback_data.id)
    value = callback_data.value
    found = None
    if value.isdecimal():
        found = await audience_names.saved_one(turn.db, turn.member, int(value))
    if found is None:
        turn.say.toast(turn.words.label("This audience is gone."))
    elif pick is not None:
        await pick.write(audience_parts.parts_of(found.rule, pick.area))
    turn.say.edit(await open_for(turn, callback_data.id))


async def drop(_tap: CallbackQuery, callback_data: Aud, turn: Turn) -> None:
    """Throw one's own away."""
    value = callback_data.value
    found = None
    if value.isdecimal():
        found = await audience_names.saved_one(turn.db, turn.member, int(value))
    if found is not None and found.made_by == turn.member.id:
        about = {"audience": found.id}
        await audit.record(turn.db, turn.member, "audience.deleted", turn.now, about=about)
        await audience_names.throw_away(turn.db, found)
        turn.say.toast(turn.words.label("Deleted."))
    await saved(_tap, callback_data, turn)


# --- in common ------------------------------------------------------------------------------


async def close(state: FSMContext) -> None:
    """Nothing is to be written any more."""
    if await state.get_state() in (Picking.place.state, Picking.name.state):
        await state.clear()


async def cancel(_message: Message, turn: Turn, state: FSMContext) -> None:
    """/cancel, while something is to be written: the card, as it is."""
    id_ = (await state.get_data())["picking"]["id"]
    await close(state)
    turn.say(await open_for(turn, id_))


def ways_out() -> Router:
    """/cancel while something is to be written, wired before that of everybody."""
    r = Router(name="audience_ways_out")
    r.message.register(
        cancel, Command("cancel", ignore_mention=True), StateFilter(Picking), of_staff
    )
    return r


def router() -> Router:
    """The card, wired after every command: a name may be any text."""
    r = Router(name="audiences")
    handlers: dict[str, Callable[..., Any]] = {
        "card": show,
        "everyone": everyone,
        "but": but_not,
        "remove": removing,
        "removed": removed,
        "save": ask_name,
        "saved": saved,
        "load": load,
        "drop": drop,
    }
    for verb, handler in handlers.items():
        r.callback_query.register(handler, Aud.filter(F.verb == verb), of_staff)
    r.message.register(named, Picking.name, of_staff)
    return r
