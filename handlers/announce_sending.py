"""The last steps before an announcement leaves: seeing it as readers will, a test, and the last tap.

Previews and tests are made by the writer of the real letters. The last tap counts anew: if the
audience is no longer what was shown, it is shown again first.
"""

from collections.abc import Sequence

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery
from sqlalchemy.ext.asyncio import AsyncSession

from handlers import announce, announce_readers, audience_words
from handlers import announce_parts as parts
from handlers.announce_parts import Compose, homeward, tap
from handlers.announcement_letters import as_read
from handlers.correspondence import Writing
from handlers.letters import Letter
from handlers.tickets import of_staff
from handlers.turns import Turn
from handlers.words import AUTONYMS, Html
from storage import announcements, approvals, audit, readers
from storage.announcements import Texts
from storage.tables import Announcement, Stage

# --- seeing it ------------------------------------------------------------------------------


async def preview(
    _tap: CallbackQuery, callback_data: Compose, turn: Turn, state: FSMContext
) -> None:
    """The letter of each language, exactly as it will look; then the card again, below."""
    await parts.close(state)
    words, found = turn.words, await announcements.by_id(turn.db, callback_data.announcement)
    if found is None or not announcements.may_see(found, turn.member):
        turn.say.edit(await announce.card(turn, callback_data.announcement))
        return
    texts = await announcements.texts_of(turn.db, found.id)
    for code, name in AUTONYMS.items():
        text = announcements.read_by(found, texts, code)
        if text is None:
            continue
        line = words("👁 What its readers see: {language}", language=name)
        if text.language != code:
            read = words("this text stands in: {language}", language=AUTONYMS[text.language])
            line = Html(f"{line} ({read})")
        turn.say(Letter(line))
        turn.say(as_read(found, text, turn.catalogs[code]))
    if callback_data.value != "alone":
        turn.say(await announce.card(turn, found.id))


async def test(_tap: CallbackQuery, callback_data: Compose, turn: Turn) -> None:
    """The real letters, in each language, to oneself."""
    found = await announce.mine(turn, callback_data.announcement)
    if found is None:
        return
    texts = await announcements.texts_of(turn.db, found.id)
    languages = [code for code in AUTONYMS if announcements.read_by(found, texts, code)]
    await announcements.post_test(turn.db, found, turn.member, languages, turn.now)
    about = {"announcement": found.id}
    await audit.record(turn.db, turn.member, "announcement.tested", turn.now, about=about)
    turn.say.toast(turn.words.label("On its way to you, in each language."))


async def write_test(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """The letters of a test; None once there are no words for one."""
    letters: list[Letter | None] = []
    for one in writings:
        found = await announcements.by_id(db, one.about["announcement"])
        texts: Texts = await announcements.texts_of(db, found.id) if found else {}
        language = one.about["language"]
        text = announcements.read_by(found, texts, language) if found else None
        letters.append(as_read(found, text, one.catalogs[language]) if found and text else None)
    return letters


# --- the last tap ---------------------------------------------------------------------------


async def ask(
    _tap: CallbackQuery,
    callback_data: Compose,
    turn: Turn,
    state: FSMContext,
    approval_above: int,
) -> None:
    """Who will get what, and when: before the last tap."""
    await parts.close(state)
    found = await announce.mine(turn, callback_data.announcement)
    if found is not None:
        turn.say.edit(await _last_page(turn, found, approval_above))


async def _last_page(
    turn: Turn, found: Announcement, above: int, *, shown: int | None = None
) -> Letter:
    words, here = turn.words, found.id
    texts = await announcements.texts_of(turn.db, here)
    if found.stage != Stage.DRAFT or announcements.missing(found, texts):
        return await announce.card(turn, here)
    counted = await readers.of(turn.db, found, texts)
    lines = [words("<b>Shall it leave?</b>"), Html("")]
    if shown is not None:
        lines = [
            words(
                "⚠️ The audience has changed: it was {before}, and is {after} now.",
                before=shown,
                after=counted.people,
            ),
            Html(""),
        ]
    lines += parts.languages(words, found, texts)
    told = await announce_readers.to_whom(turn.db, words, found)
    lines += [Html(""), told, *audience_words.counted(words, counted)]
    lines += [Html(""), *parts.when_lines(words, found)]
    yes = words.label("📣 Send it")
    if counted.people > above:
        lines += [
            Html(""),
            words(
                "It goes to more than {n} people: a second member of the team must approve it.",
                n=above,
            ),
        ]
        yes = words.label("👀 Ask for approval")
    value = f"{approvals.version(found)}.{counted.people}"
    rows = [(tap(yes, "yes", here, value),)] if counted.people else []
    if not counted.people:
        lines += [Html(""), words("Nobody would get it. Please choose another audience.")]
    return Letter(Html("\n".join(lines)), (*rows, homeward(turn, here)))


async def send(
    _tap: CallbackQuery, callback_data: Compose, turn: Turn, approval_above: int
) -> None:
    """Yes: if it is still what was shown, it leaves or is put before a second person."""
    words = turn.words
    found = await announce.mine(turn, callback_data.announcement)
    if found is None:
        return
    seen, _, number = callback_data.value.partition(".")
    people = int(number) if number.isdecimal() else 0
    texts = await announcements.texts_of(turn.db, found.id)
    if found.stage != Stage.DRAFT or announcements.missing(found, texts):
        turn.say.edit(await announce.card(turn, found.id))
        return
    counted = await readers.of(turn.db, found, texts)
    same = seen == approvals.version(found)
    if not same or not counted.people or readers.changed(people, counted.people):
        shown = people if same and counted.people else None
        turn.say.edit(await _last_page(turn, found, approval_above, shown=shown))
        return
    asked = await approvals.submit(
        turn.db, found, counted.people, above=approval_above, now=turn.now
    )
    if not asked and counted.people > approval_above:
        turn.say.edit(_nobody_to_ask(turn, found))
        return
    deed = "announcement.submitted" if asked else "announcement.released"
    about = {"announcement": found.id}
    await audit.record(turn.db, turn.member, deed, turn.now, about=about, people=counted.people)
    done = words("👀 A second member of the team is asked.") if asked else _released(turn, found)
    turn.say.edit((await announce.card(turn, found.id)).with_first_line(done))


def _released(turn: Turn, found: Announcement) -> Html:
    if found.local_time is None:
        return turn.words("📣 It is on its way.")
    return turn.words("📣 It leaves at its time; until then you can take it back.")


def _nobody_to_ask(turn: Turn, found: Announcement) -> Letter:
    return Letter(
        turn.words(
            "There is no second person yet who reaches all these people, and one must approve it. "
            "An administrator can invite a colleague with /team; your draft waits here until then."
        ),
        (homeward(turn, found.id),),
    )


async def withdraw(_tap: CallbackQuery, callback_data: Compose, turn: Turn) -> None:
    """Not yet, after all: a draft again."""
    found = await announce.mine(turn, callback_data.announcement)
    if found is None:
        return
    await announce.changed(turn, found)
    turn.say.edit(await announce.card(turn, found.id))


def router() -> Router:
    """The last steps, wired."""
    r = Router(name="announce_sending")
    for verb, handler in (
        ("preview", preview),
        ("test", test),
        ("send", ask),
        ("yes", send),
        ("withdraw", withdraw),
    ):
        r.callback_query.register(handler, Compose.filter(F.verb == verb), of_staff)
    return r
