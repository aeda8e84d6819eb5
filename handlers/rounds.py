"""Rounds of introductions, for staff: begin one, look at what was drawn, let it go or drop it.

A preview names who would meet whom and why, so it is for those who reach everybody in it: staff with
an area of their own draw rounds for events, where they see the attendees anyway.
"""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from aiogram import Router
from aiogram.filters import Command
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message
from sqlalchemy.ext.asyncio import AsyncSession

from handlers.correspondence import Writing
from handlers.introduction_figures import Brought
from handlers.letters import Letter, Tap
from handlers.meeting_words import first_name, topic_noun
from handlers.tickets import of_staff
from handlers.turns import Turn
from handlers.words import Html, Words, quote
from storage import audit, events, introduction_parties, introduction_rounds, members, team
from storage.introduction_parties import Party
from storage.tables import Event, Member, Occasion, Role, Round, RoundStage, Theme, Topic

# Introductions on a page of a preview, names of those left out, and events that are offered.
PAGE, NAMES, EVENTS = 8, 20, 6


class Rounds(CallbackData, prefix="rounds"):
    """The card of rounds; `switch`: the weekly round on or off."""

    switch: bool = False


class Draw(CallbackData, prefix="draw"):
    """Draw a round: for this event, or (0) of everybody who takes part."""

    event: int = 0


class Weigh(CallbackData, prefix="weigh"):
    """How much crossing the two shores weighs in this event's introductions; -1: just show it."""

    event: int
    crossing: int = -1


class Preview(CallbackData, prefix="preround"):
    """What was drawn, from this introduction on."""

    round: int
    first: int = 0


class Decide(CallbackData, prefix="goround"):
    """Let this round go, or drop it."""

    round: int
    go: bool


# --- the conversation -----------------------------------------------------------------------


async def rounds(_message: Message, turn: Turn) -> None:
    """/rounds."""
    turn.say(await home(turn))


async def page(_tap: CallbackQuery, callback_data: Rounds, turn: Turn) -> None:
    """The card again; perhaps with the weekly round switched."""
    if callback_data.switch and await team.area(turn.db, turn.member) is None:
        found = await introduction_rounds.schedule(turn.db)
        on = found is None or found.next_at is None
        zone = turn.member.rhythm.partition("|")[0] or "Africa/Casablanca"
        await introduction_rounds.switch_weekly(turn.db, turn.member, turn.now, zone, on=on)
        await audit.record(turn.db, turn.member, "round.weekly", turn.now, about={"on": on})
    turn.say.edit(await home(turn))


async def draw(_tap: CallbackQuery, callback_data: Draw, turn: Turn) -> None:
    """Begin a round: its preview comes as a letter."""
    words = turn.words
    event = await events.by_id(turn.db, callback_data.event) if callback_data.event else None
    if callback_data.event and event is None:
        turn.say.toast(words.label("This event is no longer there."))
        return
    if event is None and await team.area(turn.db, turn.member) is not None:
        turn.say.toast(words.label("A round of everybody is for those who reach everybody."))
        return
    occasion = Occasion.EVENT if event else Occasion.STAFF
    round_ = await introduction_rounds.begin(
        turn.db, occasion, turn.now, made_by=turn.member.id, event=event
    )
    await audit.record(turn.db, turn.member, "round.drawn", turn.now, about={"round": round_.id})
    turn.say.toast(words.label("I am drawing it. The preview comes in a moment."))


async def weigh(_tap: CallbackQuery, callback_data: Weigh, turn: Turn) -> None:
    """The card of an event's rounds, and how its introductions weigh the two shores."""
    event = await events.by_id(turn.db, callback_data.event)
    if event is None:
        turn.say.edit(await home(turn))
        return
    if callback_data.crossing in range(4):
        event.crossing = callback_data.crossing
        about = {"event": event.id, "crossing": event.crossing}
        await audit.record(turn.db, turn.member, "event.crossing", turn.now, about=about)
    turn.say.edit(_event_card(turn.words, event))


async def preview(_tap: CallbackQuery, callback_data: Preview, turn: Turn) -> None:
    """Turn the pages of what was drawn."""
    round_ = await introduction_rounds.by_id(turn.db, callback_data.round)
    if round_ is None or not await _may_see(turn, round_):
        turn.say.toast(turn.words.label("This round is no longer there."))
        return
    turn.say.edit(await _preview(turn.db, turn.words, round_, callback_data.first))


async def decide(_tap: CallbackQuery, callback_data: Decide, turn: Turn) -> None:
    """Let it go, or drop it."""
    words = turn.words
    round_ = await introduction_rounds.by_id(turn.db, callback_data.round)
    if round_ is None or not await _may_see(turn, round_):
        turn.say.toast(words.label("This round is no longer there."))
        return
    if round_.stage != RoundStage.PREVIEW:
        turn.say.toast(words.label("This round was decided already."))
        return
    if callback_data.go:
        number = await introduction_rounds.open_(turn.db, round_, turn.now)
        done = words.plural(
            "✅ {n} introduction is proposed.", "✅ {n} introductions are proposed.", number
        )
        verb, people = "round.opened", round_.pool
    else:
        await introduction_rounds.drop(turn.db, round_, turn.now)
        done, verb, people = words("Dropped. Nobody was told."), "round.dropped", None
    about = {"round": round_.id}
    await audit.record(turn.db, turn.member, verb, turn.now, about=about, people=people)
    turn.say.edit((await home(turn)).with_first_line(done))


async def write(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """The preview, for whoever asked for the round; None once it was decided."""
    letters: list[Letter | None] = []
    for one in writings:
        round_ = await introduction_rounds.by_id(db, one.about["round"])
        staff = one.member.role in (Role.STAFF, Role.ADMIN)
        wanted = round_ is not None and round_.stage == RoundStage.PREVIEW and staff
        letters.append(
            await _preview(db, one.words, round_, 0) if wanted and round_ is not None else None
        )
    return letters


# --- the cards ------------------------------------------------------------------------------


async def home(turn: Turn) -> Letter:
    """Who takes part, the weekly round, and what can be begun."""
    words, now = turn.words, turn.now
    taking_part = await introduction_rounds.count_active(turn.db)
    schedule = await introduction_rounds.schedule(turn.db)
    lines = [
        words("<b>Rounds of introductions</b>"),
        words.plural("{n} member takes part.", "{n} members take part.", taking_part),
    ]
    if schedule is not None and schedule.next_at is not None:
        zone = ZoneInfo(schedule.zone)
        day = words.day(schedule.next_at.astimezone(zone).date())
        at = words.time(schedule.next_at, zone)
        lines.append(words("Weekly round: {day}, {time}.", day=day, time=at))
        switch = words.label("⏸ Weekly round off")
    else:
        lines.append(words("There is no weekly round."))
        switch = words.label("▶️ Weekly round on")
    rows = []
    if await team.area(turn.db, turn.member) is None:
        rows.append((Tap(words.label("🎲 Draw a round of everybody"), Draw().pack()),))
        rows.append((Tap(switch, Rounds(switch=True).pack()),))
    rows += [
        (Tap(words.pick(event.title), Weigh(event=event.id).pack()),)
        for event in (await events.upcoming(turn.db, now))[:EVENTS]
    ]
    rows.append((Tap(words.label("📊 What introductions brought"), Brought().pack()),))
    return Letter(Html("\n".join(lines)), tuple(rows))


def _event_card(words: Words, event: Event) -> Letter:
    weights = (
        words.label("Nothing"),
        words.label("A little"),
        words.label("Much"),
        words.label("Above all"),
    )
    taps = [
        Tap(
            f"{'✅ ' if event.crossing == at else ''}{label}",
            Weigh(event=event.id, crossing=at).pack(),
        )
        for at, label in enumerate(weights)
    ]
    text = words(
        "<b>{title}</b>\nIntroduces those who have a seat and take part in introductions. "
        "How much does it weigh that they live on different shores?",
        title=words.pick(event.title),
    )
    return Letter(
        text,
        (
            tuple(taps[:2]),
            tuple(taps[2:]),
            (Tap(words.label("🎲 Draw a round"), Draw(event=event.id).pack()),),
            (Tap(words.label("‹ Back"), Rounds().pack()),),
        ),
    )


async def _preview(db: AsyncSession, words: Words, round_: Round, first: int) -> Letter:
    ids, total, left = await introduction_rounds.drawn(db, round_, first, PAGE)
    found = await introduction_parties.parties(db, ids)
    themes = {theme.id: theme for theme in await members.all_themes(db)}
    lines = [
        words("<b>A round of introductions, before anybody is told</b>"),
        words.plural(
            "{n} introduction of {pool} people",
            "{n} introductions of {pool} people",
            total,
            pool=round_.pool,
        ),
        "",
    ]
    lines += [_pair(words, found[id_], themes) for id_ in ids if id_ in found]
    if first == 0:
        lines += _left_out(words, left)
    rows = []
    turning = []
    if first > 0:
        back = Preview(round=round_.id, first=max(0, first - PAGE)).pack()
        turning.append(Tap(words.label("‹ Back"), back))
    if first + PAGE < total:
        onward = Preview(round=round_.id, first=first + PAGE).pack()
        turning.append(Tap(words.label("Next ›"), onward))
    if turning:
        rows.append(tuple(turning))
    if round_.stage == RoundStage.PREVIEW:
        go = Decide(round=round_.id, go=True).pack()
        drop = Decide(round=round_.id, go=False).pack()
        if total:
            rows.append((Tap(words.label("✅ Propose them all"), go),))
        rows.append((Tap(words.label("✕ Drop this round"), drop),))
    return Letter(Html("\n".join(lines)), tuple(rows))


def _left_out(words: Words, left: Sequence[tuple[Member, str]]) -> list[Html]:
    lines = [Html(""), words("Left out:")] if left else []
    for member, why in left[:NAMES]:
        reason = (
            words("there was nobody with a language and a reason in common")
            if why == "lonely"
            else words("they are one too many; next time they go first")
        )
        lines.append(words("• {name}: {why}", name=first_name(member), why=reason))
    if len(left) > NAMES:
        lines.append(words("… and {n} more", n=len(left) - NAMES))
    return lines


def _pair(words: Words, party: Party, themes: Mapping[int, Theme]) -> Html:
    names = [_named(words, party, at) for at in range(len(party.members))]
    why = []
    for reason in party.introduction.reasons:
        if reason["kind"] == "theme" and reason["theme"] in themes:
            why.append(words.pick(themes[reason["theme"]].name))
        elif reason["kind"] == "wish":
            why.append(topic_noun(words, Topic(reason["topic"])))
        elif reason["kind"] == "shores":
            why.append(words.label("both shores"))
    return words(
        "• {names}: {why}",
        names=Html(" ↔ ".join(names)),
        why=words.series(list(dict.fromkeys(why))),
    )


def _named(words: Words, party: Party, at: int) -> Html:
    member = party.members[at]
    city = words.place(member.city or "")
    return Html(f"{first_name(member)} ({quote(city)})") if city else first_name(member)


async def _may_see(turn: Turn, round_: Round) -> bool:
    """Whoever asked for it, and whoever reaches everybody."""
    return round_.made_by == turn.member.id or await team.area(turn.db, turn.member) is None


def router() -> Router:
    """Rounds, wired."""
    r = Router(name="rounds")
    r.message.register(rounds, Command("rounds", ignore_mention=True), of_staff)
    r.callback_query.register(page, Rounds.filter(), of_staff)
    r.callback_query.register(draw, Draw.filter(), of_staff)
    r.callback_query.register(weigh, Weigh.filter(), of_staff)
    r.callback_query.register(preview, Preview.filter(), of_staff)
    r.callback_query.register(decide, Decide.filter(), of_staff)
    return r
