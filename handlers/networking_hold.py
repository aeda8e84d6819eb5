"""Holding a networking session, for staff: how many take part, the round, what can be done now."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from aiogram import Router
from aiogram.types import CallbackQuery

from handlers.letters import Letter, Tap
from handlers.staff_events import Hold, OneSession
from handlers.tickets import of_staff
from handlers.turns import Turn
from handlers.words import Html, Words, quote
from storage import audit, events, networking, networking_scenes
from storage.networking_scenes import Scene
from storage.tables import Course, Networking

# Minutes that a tap adds to a round.
_MORE = 2


async def hold(_tap: CallbackQuery, callback_data: Hold, turn: Turn) -> None:
    """Do what the tapped button says, if it can be done now, and show the card."""
    words, verb = turn.words, callback_data.verb
    item = await events.item(turn.db, callback_data.session, turn.member)
    if item is None or item.session.kind != networking.SESSION_KIND:
        turn.say.toast(words.label("This session is no longer in the programme."))
        return
    held = await networking.open_for(turn.db, item.session, turn.now)
    if verb == "end":
        turn.say.edit(_really(words, item.session.id))
        return
    done = await _do(turn, held, verb)
    if not done:
        too_few = words.label("It takes two people at least: nobody else has joined yet.")
        told = words.label("The next tables are told already: pause instead.")
        turn.say.toast(too_few if verb == "start" else told)
    await turn.db.flush()
    if done and verb in ("start", "pause", "resume", "lengthen", "ended"):
        about = {"session": item.session.id, "round": held.round}
        await audit.record(turn.db, turn.member, f"networking.{verb}", turn.now, about=about)
    turn.say.edit(await card(turn, item.session.id))


async def _do(turn: Turn, held: Networking, verb: str) -> bool:
    """Do what can be done; False: it can't."""
    match verb:
        case "start":
            return await networking.start(turn.db, held, turn.now)
        case "lengthen":
            return networking.lengthen(held, _MORE)
        case "pause":
            networking.pause(held, turn.now)
        case "resume":
            networking.resume(held, turn.now)
        case "ended":
            networking.end(held)
        case "more" | "less":
            networking.plan(held, rounds=held.rounds + (1 if verb == "more" else -1))
        case "longer" | "shorter":
            networking.plan(held, minutes=held.minutes + (1 if verb == "longer" else -1))
    return True


async def card(turn: Turn, session_id: int) -> Letter:
    """Staff's card: what is on, and what can be done."""
    words = turn.words
    scene = await networking_scenes.scene(turn.db, session_id)
    back = (Tap(words.label("‹ Session"), OneSession(session=session_id).pack()),)
    if scene is None:
        return Letter(words("This session is no longer in the programme."), (back,))
    held = scene.networking
    lines = [
        Html(f"🤝 <b>{quote(words.pick(scene.session.title))}</b>"),
        _course(words, scene),
        words.plural("{n} person takes part", "{n} people take part", scene.guests),
    ]
    if held.course == Course.GATHERING:
        lines.append(
            words("Whoever is checked in has been invited, or is as soon as they come in.")
        )
    rows = [
        tuple(Tap(label, Hold(session=session_id, verb=verb).pack()) for verb, label in row)
        for row in _verbs(words, held.course)
    ]
    board = turn.links.page(f"board/{held.board}?lang={words.language}")
    if board is not None:
        rows.append((Tap(words.label("📺 Board for the big screen"), url=board),))
    return Letter(Html("\n".join(lines)), (*rows, back))


def _course(words: Words, scene: Scene) -> Html:
    held = scene.networking
    plan = words(
        "Rounds: {rounds}, of {minutes} min each", rounds=held.rounds, minutes=held.minutes
    )
    if held.course == Course.ENDED:
        return words("It is over.")
    if held.course == Course.GATHERING:
        return plan
    if held.until is None:
        left = max(1, round((held.left or 0) / 60))
        return words(
            "⏸ Round {n} of {all}, {left} min left", n=held.round, all=held.rounds, left=left
        )
    until = words.clock(held.until, ZoneInfo(scene.event.timezone))
    return words("▶️ Round {n} of {all}, until {time}", n=held.round, all=held.rounds, time=until)


def _verbs(words: Words, course: Course) -> Sequence[Sequence[tuple[str, str]]]:
    plan = [
        [("less", words.label("− Round")), ("more", words.label("+ Round"))],
        [("shorter", words.label("− Minute")), ("longer", words.label("+ Minute"))],
    ]
    again = [("show", words.label("🔄 Refresh"))]
    end = ("end", words.label("End"))
    if course == Course.GATHERING:
        return [[("start", words.label("▶️ Begin"))], *plan, again]
    if course == Course.ENDED:
        return []
    go = (
        ("pause", words.label("⏸ Pause"))
        if course == Course.RUNNING
        else ("resume", words.label("▶️ Go on"))
    )
    return [[go, ("lengthen", words.label("+ 2 min"))], *plan, [*again, end]]


def _really(words: Words, session_id: int) -> Letter:
    return Letter(
        words("End the networking now, for everybody?"),
        (
            (Tap(words.label("Yes, end it"), Hold(session=session_id, verb="ended").pack()),),
            (Tap(words.label("‹ Back"), Hold(session=session_id).pack()),),
        ),
    )


def router() -> Router:
    """Holding, wired. To others there is no such button."""
    r = Router(name="networking_hold")
    r.callback_query.register(hold, Hold.filter(), of_staff)
    return r
