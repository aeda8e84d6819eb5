"""A second account of the same person: `/link` shows a code, the other account shows it back."""

from collections.abc import Sequence

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message
from sqlalchemy.ext.asyncio import AsyncSession

from handlers.correspondence import Writing
from handlers.letters import Letter, Tap
from handlers.turns import Turn
from handlers.words import Html
from storage import linking
from storage.linking import Linked


class Unlink(CallbackData, prefix="unlink"):
    """This account, or all others, are to be strangers' again; "" asks."""

    which: str = ""


async def link(message: Message, command: CommandObject, turn: Turn) -> None:
    """/link: with a code it is shown, without one it is made."""
    if command.args:
        turn.say(await shown(turn, str(message.chat.id), command.args.strip()))
    elif not turn.registered:
        turn.say(
            Letter(
                turn.words(
                    "Write /link in the account in which you are registered: it gives you a code "
                    "for this one."
                )
            )
        )
    else:
        turn.say(await _offer(turn))


async def _offer(turn: Turn) -> Letter:
    words = turn.words
    code = await linking.new_code(turn.db, turn.member, turn.now)
    lines = [
        words(
            "<b>A second account</b>\nTo use Jisr from another account too, show it this code "
            "there, within ten minutes. Whoever shows it speaks as you: send it to nobody."
        ),
        Html(""),
        Html(f"<code>/link {code}</code>"),
    ]
    if (url := turn.links.to(code)) is not None:
        lines += [Html(""), Html(url)]
    taps: tuple[tuple[Tap, ...], ...] = ()
    number = len(await linking.accounts(turn.db, turn.member))
    if number > 1:
        lines += [Html(""), words.plural("You use {n} account.", "You use {n} accounts.", number)]
        taps = ((Tap(words.label("Unlink …"), Unlink().pack()),),)
    lost = words("The code was shown once. If it is lost, /link makes another.")
    return Letter(Html("\n".join(lines)), taps, once=lost)


async def shown(turn: Turn, address: str, code: str) -> Letter:
    """An account shows a code."""
    words = turn.words
    outcome = await linking.link(turn.db, turn.member, (turn.channel, address), code, turn.now)
    return Letter(
        {
            Linked.LINKED: words(
                "✅ This account is linked: from now on you are the same member in both. Letters go "
                "to the first one. /agenda shows the programme, /unlink parts the two."
            ),
            Linked.STALE: words(
                "This code was used before or is older than ten minutes. /link in your first "
                "account makes another."
            ),
            Linked.SAME: words("This code is for another account: show it there."),
            Linked.TAKEN: words(
                "This account is registered in its own name. If you no longer need it, /forget "
                "erases it; then show the code again."
            ),
        }[outcome]
    )


async def unlink(_message: Message, turn: Turn) -> None:
    """/unlink."""
    turn.say(await _question(turn))


async def unlinked(
    tap: CallbackQuery, callback_data: Unlink, turn: Turn, state: FSMContext
) -> None:
    """Ask, then part the accounts."""
    words = turn.words
    here = str(tap.message.chat.id if tap.message else tap.from_user.id)
    others = callback_data.which == "others"
    if callback_data.which not in ("this", "others") or not await linking.unlink(
        turn.db, turn.member, turn.channel, here, turn.now, others=others
    ):
        turn.say.edit(await _question(turn))
    elif others:
        turn.say.edit(Letter(words("Only this account speaks as you now.")))
    else:
        await state.clear()
        turn.say.edit(
            Letter(words("This account is on its own again. /start begins, if you wish."))
        )


async def _question(turn: Turn) -> Letter:
    words = turn.words
    if len(await linking.accounts(turn.db, turn.member)) <= 1:
        return Letter(words("This is your only account. /link adds a second one."))
    this = Tap(words.label("Unlink this account"), Unlink(which="this").pack())
    others = Tap(words.label("Unlink all others"), Unlink(which="others").pack())
    return Letter(
        words(
            "Which account is to go its own way? Your profile and your seats stay with the account "
            "that remains."
        ),
        ((this,), (others,)),
    )


async def write(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """Tell the first account that another speaks for it now."""
    del db
    return [
        Letter(
            one.words(
                "🔗 Another account was linked to yours just now and speaks as you. If that was not "
                "you, /unlink ends it."
            )
        )
        for one in writings
    ]


def router() -> Router:
    """Linking, wired; a code that comes by a deep link comes in by `/start`."""
    r = Router(name="linking")
    r.message.register(link, Command("link", ignore_mention=True))
    r.message.register(unlink, Command("unlink", ignore_mention=True))
    r.callback_query.register(unlinked, Unlink.filter())
    return r
