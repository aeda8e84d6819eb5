"""What an announcement carries below its words: a button that opens a page, and up to four answers.

Both are written once and then named in each language that the announcement is written in.
"""

from typing import Any

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from handlers import announce
from handlers import announce_parts as parts
from handlers.announce_parts import Compose, Composing, homeward, tap
from handlers.announcement_letters import is_link
from handlers.letters import Letter, Tap
from handlers.tickets import of_staff
from handlers.turns import Turn
from handlers.words import AUTONYMS, Html, cleaned, quote
from storage import announcements
from storage.answers import MOST
from storage.tables import Announcement

# As wide as their columns; an answer is a button, and may stand beside another.
_URL, _LABEL, _ANSWER = 2048, 64, 40


# --- the link -------------------------------------------------------------------------------


async def link(_tap: CallbackQuery, callback_data: Compose, turn: Turn, state: FSMContext) -> None:
    """The link as it is, or the question for one."""
    await parts.close(state)
    found = await announce.mine(turn, callback_data.announcement)
    if found is None:
        return
    words, here = turn.words, found.id
    texts = await announcements.texts_of(turn.db, here)
    if not texts:
        turn.say.toast(words.label("First write the words."))
        return
    linked = {code: text for code, text in texts.items() if text.link_url}
    if not linked:
        await _ask_link(turn, state, found)
        return
    lines = [words("<b>The button that opens a page</b>")]
    lines += [
        Html(f"{AUTONYMS[code]}: {quote(text.link_label or '…')} → {quote(text.link_url or '')}")
        for code, text in linked.items()
    ]
    labels = [
        tap(words.label("✎ {language}", language=AUTONYMS[code]), "label", here, code)
        for code in linked
    ]
    rows = (
        tuple(labels),
        (
            tap(words.label("✎ Another page"), "newlink", here),
            tap(words.label("🗑 Remove"), "nolink", here),
        ),
        homeward(turn, here),
    )
    turn.say.edit(Letter(Html("\n".join(lines)), rows))


async def new_link(
    _tap: CallbackQuery, callback_data: Compose, turn: Turn, state: FSMContext
) -> None:
    """Another page."""
    found = await announce.mine(turn, callback_data.announcement)
    if found is not None:
        await _ask_link(turn, state, found)


async def _ask_link(turn: Turn, state: FSMContext, found: Announcement) -> None:
    ask = turn.words(
        "Which page shall the button open? Write its address, e.g. https://consulat.ma"
    )
    letter = Letter(ask, (homeward(turn, found.id),))
    await parts.ask(turn, state, Composing.link, letter, announcement=found.id)


async def link_typed(message: Message, turn: Turn, state: FSMContext) -> None:
    """The address."""
    url = _address(parts.typed_words(message))
    if url is None:
        hint = turn.words("I can't open this address. Write it like https://consulat.ma/lyon")
        await parts.again(turn, state, hint)
        return
    found = await _open_one(turn, state)
    if found is None:
        return
    texts = await announcements.texts_of(turn.db, found.id)
    for code in texts:
        await announce.wrote(turn, found, code, link_url=url)
    unnamed = [code for code, text in texts.items() if not text.link_label]
    await _ask_label(turn, state, found, unnamed)


async def label(_tap: CallbackQuery, callback_data: Compose, turn: Turn, state: FSMContext) -> None:
    """Other words on the button, in one language."""
    found = await announce.mine(turn, callback_data.announcement)
    if found is not None and callback_data.value in AUTONYMS:
        await _ask_label(turn, state, found, [callback_data.value], edit=True)


async def _ask_label(
    turn: Turn, state: FSMContext, found: Announcement, left: list[str], *, edit: bool = False
) -> None:
    if not left:
        await parts.close(state)
        turn.say(await announce.card(turn, found.id))
        return
    ask = turn.words(
        "What does the button say in this language: {language}? A few words, e.g. “Register”. An "
        "address after them opens another page for these readers.",
        language=AUTONYMS[left[0]],
    )
    letter = Letter(ask, (homeward(turn, found.id),))
    about = {"announcement": found.id, "left": left}
    await parts.ask(turn, state, Composing.label, letter, edit=edit, **about)


async def label_typed(message: Message, turn: Turn, state: FSMContext) -> None:
    """What the button says, and perhaps an address of its own."""
    said = parts.typed_words(message)
    first, _, last = said.rpartition(" ")
    url = _address(last) if "/" in last or last.startswith("www.") else None
    name = first if url else said
    if not 0 < len(name) <= _LABEL:
        hint = turn.words("Please write a few words, at most {limit} characters.", limit=_LABEL)
        await parts.again(turn, state, hint)
        return
    found = await _open_one(turn, state)
    if found is None:
        return
    language, *left = (await parts.asked(state))["left"]
    if language in await announcements.texts_of(turn.db, found.id):
        values = {"link_label": name} | ({"link_url": url} if url else {})
        await announce.wrote(turn, found, language, **values)
    await _ask_label(turn, state, found, left)


async def no_link(_tap: CallbackQuery, callback_data: Compose, turn: Turn) -> None:
    """Without a link."""
    found = await announce.mine(turn, callback_data.announcement)
    if found is None:
        return
    for code in await announcements.texts_of(turn.db, found.id):
        await announce.wrote(turn, found, code, link_url=None, link_label=None)
    turn.say.edit(await announce.card(turn, found.id))


def _address(said: str) -> str | None:
    """An address that can be opened; "www." and bare names are completed."""
    if "://" not in said:
        said = f"https://{said}"
    return said if len(said) <= _URL and is_link(said) else None


# --- the answers ----------------------------------------------------------------------------


async def answers(
    _tap: CallbackQuery, callback_data: Compose, turn: Turn, state: FSMContext
) -> None:
    """The answers as they are, or the question for them."""
    await parts.close(state)
    found = await announce.mine(turn, callback_data.announcement)
    if found is None:
        return
    words, here = turn.words, found.id
    if not found.answers:
        await _ask_answers(turn, state, found, await _order(turn, found))
        return
    lines = [words("<b>Answers that readers may tap</b>")]
    lines += [
        Html(f"{number}. {words.series(list(answer.values()))}")
        for number, answer in enumerate(found.answers, start=1)
    ]
    rows = (
        (
            tap(words.label("✎ Write them anew"), "newanswers", here),
            tap(words.label("🗑 Remove"), "noanswers", here),
        ),
        homeward(turn, here),
    )
    turn.say.edit(Letter(Html("\n".join(lines)), rows))


async def new_answers(
    _tap: CallbackQuery, callback_data: Compose, turn: Turn, state: FSMContext
) -> None:
    """Other answers."""
    found = await announce.mine(turn, callback_data.announcement)
    if found is not None:
        await _ask_answers(turn, state, found, await _order(turn, found))


async def _order(turn: Turn, found: Announcement) -> list[str]:
    """The languages in which answers are asked for: the one that stands in for others first."""
    texts = await announcements.texts_of(turn.db, found.id)
    first = found.fallback or turn.words.language
    return sorted(texts or AUTONYMS, key=lambda code: code != first)


async def _ask_answers(
    turn: Turn,
    state: FSMContext,
    found: Announcement,
    left: list[str],
    *,
    first: bool = True,
    edit: bool = True,
) -> None:
    words = turn.words
    if not left:
        await parts.close(state)
        turn.say((await announce.card(turn, found.id)).with_first_line(words("Noted.")))
        return
    language = AUTONYMS[left[0]]
    if first:
        ask = words(
            "Which answers may readers tap? Write up to four, one per line, in this language: "
            "{language}\n\nFor example:\nI'll come\nI can't",
            language=language,
        )
        rows: tuple[tuple[Tap, ...], ...] = (homeward(turn, found.id),)
    else:
        ask = words("And in this language, in the same order: {language}?", language=language)
        skip = tap(words.label("Skip"), "skipanswers", found.id, left[0])
        rows = ((skip,), homeward(turn, found.id))
    about: dict[str, Any] = {"announcement": found.id, "left": left, "first": first}
    await parts.ask(turn, state, Composing.answers, Letter(ask, rows), edit=edit, **about)


async def answers_typed(message: Message, turn: Turn, state: FSMContext) -> None:
    """The answers in one language, a line each."""
    words, about = turn.words, await parts.asked(state)
    lines = [line for typed in (message.text or "").split("\n") if (line := cleaned(typed))]
    if not 0 < len(lines) <= MOST or max(map(len, lines)) > _ANSWER:
        hint = words(
            "Please write one to four answers, one per line, each at most {limit} characters.",
            limit=_ANSWER,
        )
        await parts.again(turn, state, hint)
        return
    found = await _open_one(turn, state)
    if found is None:
        return
    known = [] if about["first"] else list(found.answers or [])
    if known and len(lines) != len(known):
        hint = words.plural(
            "There is {n} answer: please write as many lines.",
            "There are {n} answers: please write as many lines.",
            len(known),
        )
        await parts.again(turn, state, hint)
        return
    language, *left = about["left"]
    before = known or [{} for _ in lines]
    named = [answer | {language: line} for answer, line in zip(before, lines, strict=True)]
    await announce.changed(turn, found, answers=named)
    await _ask_answers(turn, state, found, left, first=False, edit=False)


async def skip_answers(
    _tap: CallbackQuery, callback_data: Compose, turn: Turn, state: FSMContext
) -> None:
    """Not in this language: its readers read the first one."""
    about = await parts.asked(state)
    found = await announce.mine(turn, callback_data.announcement)
    if (
        found is None
        or about["announcement"] != found.id
        or about["left"][0] != callback_data.value
    ):
        await announce.stale(_tap, callback_data, turn, state)
        return
    turn.say.edit(Letter(turn.words("Skipped: {language}", language=AUTONYMS[about["left"][0]])))
    await _ask_answers(turn, state, found, about["left"][1:], first=False, edit=False)


async def no_answers(_tap: CallbackQuery, callback_data: Compose, turn: Turn) -> None:
    """Without answers."""
    found = await announce.mine(turn, callback_data.announcement)
    if found is not None:
        await announce.changed(turn, found, answers=None)
        turn.say.edit(await announce.card(turn, found.id))


# --- in common ------------------------------------------------------------------------------


async def _open_one(turn: Turn, state: FSMContext) -> Announcement | None:
    found = await announce.mine(turn, (await parts.asked(state))["announcement"])
    if found is None:
        await parts.close(state)
    return found


def router() -> Router:
    """Link and answers, wired: what is typed comes before other questions."""
    r = Router(name="announce_extras")
    for verb, handler in (
        ("link", link),
        ("newlink", new_link),
        ("nolink", no_link),
        ("label", label),
        ("answers", answers),
        ("newanswers", new_answers),
        ("noanswers", no_answers),
    ):
        r.callback_query.register(handler, Compose.filter(F.verb == verb), of_staff)
    skipping = Compose.filter(F.verb == "skipanswers")
    r.callback_query.register(skip_answers, skipping, Composing.answers, of_staff)
    r.message.register(link_typed, Composing.link, parts.not_a_command, of_staff)
    r.message.register(label_typed, Composing.label, parts.not_a_command, of_staff)
    r.message.register(answers_typed, Composing.answers, parts.not_a_command, of_staff)
    return r
