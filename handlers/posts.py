"""Posts: where the team works, and the area that each reaches; made and changed by short questions.

The answers wait in the conversation until the last is given; then all is done at once. Whoever is no
longer an administrator gets no further.
"""

from typing import Any

from aiogram import Router
from aiogram.filters import Command
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message

from handlers import post_questions as questions
from handlers.events import BUTTON, paged
from handlers.letters import Letter, Tap
from handlers.profile import NotUnderstood
from handlers.team import Posts, Team, area, of_admins
from handlers.turns import Turn
from handlers.words import AUTONYMS, Html, quote, shortened
from storage import team

# The questions of each form; "names" are those of all languages, one's own first.
FORMS = {
    "new": ("names", "country", "cities"),
    "name": ("names",),
    "area": ("country", "cities"),
}


class Naming(StatesGroup):
    """A form is open: the conversation's data has `naming`, with form, post, at and draft."""

    open = State()


class OnePost(CallbackData, prefix="post"):
    """A post's card."""

    post: int


class Write(CallbackData, prefix="pform"):
    """Ask what is needed for this; of a new post the id is 0."""

    form: str
    post: int = 0


class Answer(CallbackData, prefix="pans"):
    """An answer by tap."""

    field: str
    value: str = ""


class Before(CallbackData, prefix="pback"):
    """To the question before, or out of the form from the first one."""

    field: str


class Delete(CallbackData, prefix="pdel"):
    """Delete this post; asked for once more unless `sure`."""

    post: int
    sure: bool = False


# --- cards ----------------------------------------------------------------------------------


async def open_posts(_tap: CallbackQuery, callback_data: Posts, turn: Turn) -> None:
    """All posts."""
    turn.say.edit(await list_letter(turn, callback_data.page))


async def list_letter(turn: Turn, page: int = 0) -> Letter:
    """All posts, each with a tap, and the tap for a new one."""
    words = turn.words
    found = await team.posts(turn.db)
    shown, turning = paged(words, found, page, lambda number: Posts(page=number))
    lines = [words("<b>Posts</b>")]
    lines += [
        words("<b>{name}</b>\nreaches: {who}", name=words.pick(one.name), who=area(words, one))
        for one in shown
    ]
    if not shown:
        lines.append(
            words(
                "There is no post yet. A post is where people of the team work, e.g. the consulate "
                "in Lyon; its area is whom they reach."
            )
        )
    taps = [
        (Tap(shortened(words.pick(one.name), BUTTON), OnePost(post=one.id).pack()),)
        for one in shown
    ]
    below = (
        Tap(words.label("＋ New post"), Write(form="new").pack()),
        Tap(words.label("‹ Team"), Team().pack()),
    )
    return Letter(Html("\n\n".join(lines)), (*taps, *turning, below))


async def open_post(_tap: CallbackQuery, callback_data: OnePost, turn: Turn) -> None:
    """A post's card."""
    turn.say.edit(await card(turn, callback_data.post))


async def card(turn: Turn, post_id: int) -> Letter:
    """A post's name, area and people, and what can be done about it."""
    words = turn.words
    post = next((one for one in await team.posts(turn.db) if one.id == post_id), None)
    if post is None:
        return (await list_letter(turn)).with_first_line(words("This post is gone."))
    people, invited = await team.staffed(turn.db, post_id, turn.now)
    name = words.pick(post.name)
    others = [other for other in dict.fromkeys(post.name.values()) if other != name]
    lines = [
        Html(f"<b>{quote(name)}</b>"),
        *([words.series(others)] if others else []),
        words("reaches: {who}", who=area(words, post)),
        words.plural("{n} person works here", "{n} people work here", people),
        *(
            [words.plural("{n} open invitation", "{n} open invitations", invited)]
            if invited
            else []
        ),
    ]
    return Letter(
        Html("\n".join(lines)),
        (
            (
                Tap(words.label("✎ Name"), Write(form="name", post=post_id).pack()),
                Tap(words.label("✎ Area"), Write(form="area", post=post_id).pack()),
            ),
            (Tap(words.label("Delete the post"), Delete(post=post_id).pack()),),
            (Tap(words.label("‹ Posts"), Posts().pack()),),
        ),
    )


async def delete(_tap: CallbackQuery, callback_data: Delete, turn: Turn) -> None:
    """Delete a post, after one more question."""
    words, post_id = turn.words, callback_data.post
    if any(await team.staffed(turn.db, post_id, turn.now)):
        turn.say.toast(
            words.label("Somebody works or is expected here: give them another post first.")
        )
    elif not callback_data.sure:
        yes = Tap(words.label("Yes, delete"), Delete(post=post_id, sure=True).pack())
        back = Tap(words.label("‹ Back"), OnePost(post=post_id).pack())
        letter = await card(turn, post_id)
        turn.say.edit(Letter(letter.text, ((yes, back),)).with_first_line(words("Delete it?")))
        return
    elif await team.delete_post(turn.db, turn.member, post_id, turn.now):
        turn.say.toast(words.label("Deleted."))
        turn.say.edit(await list_letter(turn))
        return
    turn.say.edit(await card(turn, post_id))


# --- the questions --------------------------------------------------------------------------


async def begin(_tap: CallbackQuery, callback_data: Write, turn: Turn, state: FSMContext) -> None:
    """Open a form on the card that was tapped."""
    form, post_id = callback_data.form, callback_data.post
    there = {post.id for post in await team.posts(turn.db)} | ({0} if form == "new" else set())
    if form not in FORMS or post_id not in there:
        turn.say.edit(await list_letter(turn))
        return
    data = {"form": form, "post": post_id, "at": 0, "draft": {}}
    await state.set_state(Naming.open)
    await state.update_data(naming=data)
    turn.say.edit(_question(turn, data))


def _fields(turn: Turn, data: dict[str, Any]) -> list[str]:
    own = turn.words.language
    names = [f"name_{code}" for code in (own, *(c for c in AUTONYMS if c != own))]
    return [n for part in FORMS[data["form"]] for n in (names if part == "names" else [part])]


def _field(turn: Turn, data: dict[str, Any]) -> str:
    at: int = data["at"]
    return _fields(turn, data)[at]


def _question(turn: Turn, data: dict[str, Any]) -> Letter:
    words, name = turn.words, _field(turn, data)
    rows = [
        tuple(Tap(label, Answer(field=name, value=value).pack()) for label, value in row)
        for row in questions.taps(words, name)
    ]
    back = Tap(words.label("‹ Back"), Before(field=name).pack())
    return Letter(questions.text(words, name), (*rows, (back,)))


async def typed(message: Message, turn: Turn, state: FSMContext) -> None:
    """An answer in words."""
    data, words = await _naming(state), turn.words
    hint = words("Please answer by writing a short text.")
    if message.text is not None and message.text.startswith("/"):
        hint = words("I don't know this command.")
    elif message.text is not None and message.forward_origin is None:
        await _answered(turn, state, data, message.text, tapped=False)
        return
    turn.say(_question(turn, data).with_first_line(hint))


async def replied(tap: CallbackQuery, callback_data: Answer, turn: Turn, state: FSMContext) -> None:
    """An answer by tap."""
    data = await _naming(state)
    if callback_data.field != _field(turn, data):
        await closed(tap, turn)
        return
    await _answered(turn, state, data, callback_data.value, tapped=True)


async def before(tap: CallbackQuery, callback_data: Before, turn: Turn, state: FSMContext) -> None:
    """One question back."""
    data = await _naming(state)
    if callback_data.field != _field(turn, data):
        await closed(tap, turn)
    elif data["at"] == 0:
        await state.clear()
        turn.say.edit((await _home(turn, data)).with_first_line(turn.words("Nothing is changed.")))
    else:
        data = data | {"at": data["at"] - 1}
        await state.update_data(naming=data)
        turn.say.edit(_question(turn, data))


async def cancel(_message: Message, turn: Turn, state: FSMContext) -> None:
    """/cancel, in a form."""
    data = await _naming(state)
    await state.clear()
    turn.say((await _home(turn, data)).with_first_line(turn.words("Nothing is changed.")))


async def closed(_tap: CallbackQuery, turn: Turn) -> None:
    """A button of a question that is no longer open."""
    turn.say.toast(turn.words.label("This question is closed. /team shows the way."))


async def _answered(
    turn: Turn, state: FSMContext, data: dict[str, Any], said: str, *, tapped: bool
) -> None:
    words, name = turn.words, _field(turn, data)
    try:
        answer = questions.read(words, name, said, tapped=tapped)
    except NotUnderstood as problem:
        turn.say(_question(turn, data).with_first_line(problem.hint))
        return
    if tapped:
        label = next(
            label for row in questions.taps(words, name) for label, value in row if value == said
        )
        turn.say.edit(Letter(Html(f"{questions.text(words, name)}\n<b>{quote(label)}</b>")))
    data = data | {"at": data["at"] + 1, "draft": {**data["draft"], name: answer}}
    everybody = name == "country" and answer is None
    if data["at"] < len(_fields(turn, data)) and not everybody:
        await state.update_data(naming=data)
        turn.say(_question(turn, data))
        return
    await state.clear()
    turn.say(await _done(turn, data))


async def _done(turn: Turn, data: dict[str, Any]) -> Letter:
    draft, values = data["draft"], {}
    given = {name[5:]: said for name, said in draft.items() if name.startswith("name_") and said}
    if given:
        first = next(iter(given.values()))
        values["name"] = {code: given.get(code) or first for code in AUTONYMS}
    if "country" in draft:
        values |= {"country": draft["country"], "cities": draft.get("cities")}
    if data["form"] == "new":
        post = await team.create_post(turn.db, turn.member, values, turn.now)
        return (await card(turn, post.id)).with_first_line(turn.words("✅ Done."))
    changed = await team.change_post(turn.db, turn.member, data["post"], values, turn.now)
    letter = await card(turn, data["post"])
    return letter.with_first_line(turn.words("✅ Done.")) if changed else letter


async def _naming(state: FSMContext) -> dict[str, Any]:
    return dict((await state.get_data())["naming"])


async def _home(turn: Turn, data: dict[str, Any]) -> Letter:
    return await (card(turn, data["post"]) if data["post"] else list_letter(turn))


def ways_out() -> Router:
    """/cancel in a form, wired before that of everybody."""
    r = Router(name="posts_ways_out")
    r.message.register(cancel, Command("cancel", ignore_mention=True), Naming.open, of_admins)
    return r


def router() -> Router:
    """Posts, wired after every command: an open question reads any text."""
    r = Router(name="posts")
    r.callback_query.register(open_posts, Posts.filter(), of_admins)
    r.callback_query.register(open_post, OnePost.filter(), of_admins)
    r.callback_query.register(delete, Delete.filter(), of_admins)
    r.callback_query.register(begin, Write.filter(), of_admins)
    r.message.register(typed, Naming.open, of_admins)
    r.callback_query.register(replied, Answer.filter(), Naming.open, of_admins)
    r.callback_query.register(before, Before.filter(), Naming.open, of_admins)
    for button in (Answer, Before):
        r.callback_query.register(closed, button.filter(), of_admins)
    return r
