"""Writing an announcement: words, a picture or a document, one language after the other.

A normal message is all it takes, typed or forwarded, with its formatting. Each is kept at once.
What comes with words replaces the words, what comes with a file replaces the file. What no language
was written for, staff decide: its readers read another text, or get nothing.
"""

from collections.abc import Sequence
from typing import Any

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from handlers import announce
from handlers import announce_parts as parts
from handlers.announce_parts import Announcements, Compose, Composing, homeward, tap
from handlers.announcement_letters import Written, length, read_message, room_for
from handlers.letters import Letter, Tap
from handlers.tickets import of_staff
from handlers.turns import Turn
from handlers.words import AUTONYMS, Html, Words
from storage import announcements, audit
from storage.tables import Announcement, AnnouncementText, Stage

# The value of a tap that lets readers without words get nothing.
NOTHING = "-"


# --- asking ---------------------------------------------------------------------------------


async def begin(_tap: CallbackQuery, callback_data: Compose, turn: Turn, state: FSMContext) -> None:
    """A new announcement, in one's own language unless another is tapped."""
    language = callback_data.value if callback_data.value in AUTONYMS else turn.words.language
    words = turn.words
    lines = [
        words("<b>New announcement</b>"),
        words("Write it in this language: {language}", language=AUTONYMS[language]),
        words(
            "Send it as any message: words with their formatting, a picture or a document with a "
            "few words, or forward one. Nothing leaves before you say so."
        ),
    ]
    others = [
        tap(words.label("In {language}", language=name), "new", value=code)
        for code, name in AUTONYMS.items()
        if code != language
    ]
    back = Tap(words.label("‹ Announcements"), Announcements().pack())
    letter = Letter(Html("\n\n".join(lines)), (tuple(others), (back,)))
    about: dict[str, Any] = {"announcement": 0, "language": language, "walk": True, "skipped": []}
    await parts.ask(turn, state, Composing.text, letter, **about)


async def _ask_next(
    turn: Turn, state: FSMContext, found: Announcement, skipped: Sequence[str], done: Html
) -> None:
    """The next language that has no words, or the card."""
    words = turn.words
    texts = await announcements.texts_of(turn.db, found.id)
    own = words.language
    left = [code for code in (own, *AUTONYMS) if code not in texts and code not in skipped]
    if not left:
        await parts.close(state)
        turn.say((await announce.card(turn, found.id)).with_first_line(done))
        return
    language = left[0]
    lines = [words("And in this language: {language}?", language=AUTONYMS[language])]
    if other := announcements.read_by(found, texts, language):
        name = AUTONYMS[other.language]
        lines.append(
            words(
                "Write it or forward it. If you skip it, its readers read this text: {language}",
                language=name,
            )
        )
    skip = tap(words.label("Skip"), "skip", found.id, language)
    letter = Letter(Html("\n".join(lines)), ((skip,), homeward(turn, found.id))).with_first_line(
        done
    )
    about: dict[str, Any] = {
        "announcement": found.id,
        "language": language,
        "walk": True,
        "skipped": [*skipped],
    }
    await parts.ask(turn, state, Composing.text, letter, edit=False, **about)


async def skip(_tap: CallbackQuery, callback_data: Compose, turn: Turn, state: FSMContext) -> None:
    """Not in this language, for now."""
    about = await parts.asked(state)
    if (about["announcement"], about["language"]) != (
        callback_data.announcement,
        callback_data.value,
    ):
        await announce.stale(_tap, callback_data, turn, state)
        return
    found = await announce.mine(turn, callback_data.announcement)
    if found is None:
        await parts.close(state)
        return
    words, name = turn.words, AUTONYMS[callback_data.value]
    turn.say.edit(Letter(words("Skipped: {language}", language=name)))
    skipped = [*about["skipped"], callback_data.value]
    await _ask_next(turn, state, found, skipped, words("Noted."))


# --- taking what was written ----------------------------------------------------------------


async def typed(message: Message, turn: Turn, state: FSMContext) -> None:
    """A message: it is kept as this language's words, file, or both."""
    words, about = turn.words, await parts.asked(state)
    if message.media_group_id is not None:
        # An album comes as several messages: one answer is enough.
        if about.get("album") != message.media_group_id:
            await state.update_data(composing=about | {"album": message.media_group_id})
            hint = words("These are several pictures, and an announcement has one. Send me one.")
            await parts.again(turn, state, hint)
        return
    written = read_message(message)
    if written is None:
        hint = words("I can announce words, a picture or a document; this is something else.")
        await parts.again(turn, state, hint)
        return
    found = None
    if about["announcement"]:
        found = await announce.mine(turn, about["announcement"])
        if found is None:
            await parts.close(state)
            return
    language = about["language"]
    known = (await announcements.texts_of(turn.db, found.id)).get(language) if found else None
    values = _merged(known, written)
    too_long = _too_long(turn, values["text"] or "", values["media"])
    if too_long is not None:
        await parts.again(turn, state, too_long)
        return
    if found is None:
        found = await announcements.draft(turn.db, turn.member, language, turn.now)
        await audit.record(
            turn.db, turn.member, "announcement.drafted", turn.now, about={"announcement": found.id}
        )
    await announce.wrote(turn, found, language, **values)
    done = words("✅ Kept: {language}", language=AUTONYMS[language])
    if about["walk"]:
        await _ask_next(turn, state, found, about["skipped"], done)
    else:
        await parts.close(state)
        turn.say((await announce.card(turn, found.id)).with_first_line(done))


def _merged(known: AnnouncementText | None, written: Written) -> dict[str, str | None]:
    """Words replace words, and a file replaces a file."""
    values: dict[str, str | None] = {
        "text": written.text,
        "media": written.media,
        "file": written.file,
        "file_name": written.file_name,
    }
    if known is not None and not written.media:
        values |= {"media": known.media, "file": known.file, "file_name": known.file_name}
    elif known is not None and not written.text:
        values["text"] = known.text
    return values


def _too_long(turn: Turn, text: str, media: str | None) -> Html | None:
    limit = room_for(media, turn.catalogs)
    size = length(text)
    if size <= limit:
        return None
    words = turn.words
    if media:
        return words(
            "That is too long to stand beside a picture or a document: {n} characters, and {limit} "
            "fit. Please shorten it, or send the words alone.",
            n=size,
            limit=limit,
        )
    return words(
        "That is too long: {n} characters, and {limit} fit into one message, with the line that says "
        "how to stop. Please shorten it.",
        n=size,
        limit=limit,
    )


# --- one language ---------------------------------------------------------------------------


async def open_language(
    _tap: CallbackQuery, callback_data: Compose, turn: Turn, state: FSMContext
) -> None:
    """The page of one language; what has no words yet is asked for at once."""
    await parts.close(state)
    found, language = await announce.mine(turn, callback_data.announcement), callback_data.value
    if found is None or language not in AUTONYMS:
        return
    text = (await announcements.texts_of(turn.db, found.id)).get(language)
    if text is None:
        await _ask_one(turn, state, found, language)
        return
    words, here = turn.words, found.id
    name = AUTONYMS[language]
    file: list[Tap] = []
    if text.media:
        label = (
            words.label("✕ The picture") if text.media == "photo" else words.label("✕ The document")
        )
        file.append(tap(label, "nofile", here, language))
    page = Html(f"<b>{name}</b> · {parts.size(words, text)}\n\n{text.text}")
    rows = (
        (
            tap(words.label("✎ Write it anew"), "rewrite", here, language),
            *file,
            tap(words.label("🗑 Remove"), "remove", here, language),
        ),
        homeward(turn, here),
    )
    turn.say.edit(Letter(page, rows))


async def rewrite(
    _tap: CallbackQuery, callback_data: Compose, turn: Turn, state: FSMContext
) -> None:
    """Other words, or another file."""
    found = await announce.mine(turn, callback_data.announcement)
    if found is not None and callback_data.value in AUTONYMS:
        await _ask_one(turn, state, found, callback_data.value)


async def _ask_one(turn: Turn, state: FSMContext, found: Announcement, language: str) -> None:
    words = turn.words
    ask = words("Write it in this language: {language}", language=AUTONYMS[language])
    how = words("Words alone replace the words; a picture or a document alone replaces the file.")
    letter = Letter(Html(f"{ask}\n{how}"), (homeward(turn, found.id),))
    about: dict[str, Any] = {
        "announcement": found.id,
        "language": language,
        "walk": False,
        "skipped": [],
    }
    await parts.ask(turn, state, Composing.text, letter, **about)


async def remove(_tap: CallbackQuery, callback_data: Compose, turn: Turn) -> None:
    """Without this language."""
    await _change_text(turn, callback_data, language_too=True)


async def remove_file(_tap: CallbackQuery, callback_data: Compose, turn: Turn) -> None:
    """Without its picture or document."""
    await _change_text(turn, callback_data, language_too=False)


async def _change_text(turn: Turn, callback_data: Compose, *, language_too: bool) -> None:
    found, language = await announce.mine(turn, callback_data.announcement), callback_data.value
    if found is None:
        return
    text = (await announcements.texts_of(turn.db, found.id)).get(language)
    if text is not None and (language_too or not text.text):
        submitted = found.stage != Stage.DRAFT
        await announcements.remove(turn.db, found, language, turn.now)
        if submitted:
            await announce.taken_back(turn, found)
    elif text is not None:
        await announce.wrote(turn, found, language, media=None, file=None, file_name=None)
    turn.say.edit(await announce.card(turn, found.id))


# --- languages without words ----------------------------------------------------------------


async def open_missing(
    _tap: CallbackQuery, callback_data: Compose, turn: Turn, state: FSMContext
) -> None:
    """What readers read whose language has no words."""
    await parts.close(state)
    found = await announce.mine(turn, callback_data.announcement)
    if found is not None:
        turn.say.edit(await _missing_page(turn, found))


async def fall_back(_tap: CallbackQuery, callback_data: Compose, turn: Turn) -> None:
    """They read this text, or get nothing."""
    found = await announce.mine(turn, callback_data.announcement)
    if found is None:
        return
    value = callback_data.value
    if value == NOTHING or value in await announcements.texts_of(turn.db, found.id):
        await announce.changed(turn, found, fallback=None if value == NOTHING else value)
    turn.say.edit(await _missing_page(turn, found))


async def _missing_page(turn: Turn, found: Announcement) -> Letter:
    words, here = turn.words, found.id
    texts = await announcements.texts_of(turn.db, here)
    lines = [words("What do those read in whose language nothing is written?"), Html("")]
    lines += parts.languages(words, found, texts)
    rows = [
        (_choice(words, AUTONYMS[code], chosen=found.fallback == code, here=here, value=code),)
        for code in texts
    ]
    nothing = words.label("They get nothing")
    rows.append((_choice(words, nothing, chosen=not found.fallback, here=here, value=NOTHING),))
    return Letter(Html("\n".join(lines)), (*rows, homeward(turn, here)))


def _choice(words: Words, label: str, *, chosen: bool, here: int, value: str) -> Tap:
    del words
    return tap(f"{'✅' if chosen else '▫️'} {label}", "fallback", here, value)


def router() -> Router:
    """Writing, wired: before files that staff send otherwise, and every question that reads text."""
    r = Router(name="announce_texts")
    r.callback_query.register(begin, Compose.filter(F.verb == "new"), of_staff)
    r.callback_query.register(skip, Compose.filter(F.verb == "skip"), Composing.text, of_staff)
    r.callback_query.register(open_language, Compose.filter(F.verb == "language"), of_staff)
    r.callback_query.register(rewrite, Compose.filter(F.verb == "rewrite"), of_staff)
    r.callback_query.register(remove, Compose.filter(F.verb == "remove"), of_staff)
    r.callback_query.register(remove_file, Compose.filter(F.verb == "nofile"), of_staff)
    r.callback_query.register(open_missing, Compose.filter(F.verb == "missing"), of_staff)
    r.callback_query.register(fall_back, Compose.filter(F.verb == "fallback"), of_staff)
    r.message.register(typed, Composing.text, parts.not_a_command, of_staff)
    return r
