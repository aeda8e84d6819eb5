import asyncio
import selectors
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.pace import (
    BULK,
    GROUP_MESSAGES,
    LENIENCE,
    MESSAGES_PER_SECOND,
    REMINDER,
    REPLY,
    NotNow,
    Pacer,
    Weight,
    weigh,
)

GAP = 1 / MESSAGES_PER_SECOND
A_HAIR = 1e-6


class Impatient(selectors.DefaultSelector):
    """Instead of waiting, it is at once that much later; as much too late as a busy machine."""

    now = late = 0.0

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("everybody waits, and nothing will happen any more")
            self.now += timeout + (self.late if timeout > 0 else 0)
        return ready


class Loop(asyncio.SelectorEventLoop):
    def __init__(self):
        self.impatient = Impatient()
        super().__init__(self.impatient)

    def time(self):
        return self.impatient.now


def play(scene, late=0.0):
    """Run `scene(pacer)` in simulated time, which passes only while everybody waits."""
    loop = Loop()
    loop.impatient.late = late
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(scene(Pacer(monotonic=loop.time)))


def now():
    return asyncio.get_running_loop().time()


async def ask(pacer, log, chat, priority=BULK, **more):
    await pacer.turn(chat, priority, **more)
    log.append((now(), chat))


# --- strict spacing -------------------------------------------------------------------------


def test_starts_are_spaced_from_the_first_on():
    async def scene(pacer):
        log = []
        await asyncio.gather(*(ask(pacer, log, chat) for chat in range(100)))
        return log

    log = play(scene)
    assert [chat for _, chat in log] == list(range(100))
    assert [at for at, _ in log] == pytest.approx([i * GAP for i in range(100)])


@pytest.mark.parametrize("late", [0.001, 0.008, 0.05])
def test_a_late_timer_gives_away_none_of_the_pace_and_nothing_is_made_up_for_in_a_burst(late):
    async def scene(pacer):
        log = []
        await asyncio.gather(*(ask(pacer, log, chat) for chat in range(200)))
        return [at for at, _ in log]

    starts = play(scene, late)
    gaps = [after - before for before, after in pairwise(starts)]
    assert min(gaps) >= GAP * (1 - LENIENCE) - A_HAIR
    assert max(sum(at <= start < at + 1 for start in starts) for at in starts) <= 29
    if late < GAP * LENIENCE:
        assert starts[-1] <= 199 * GAP + late + A_HAIR


def test_one_chat_hears_one_message_a_second_and_holds_nobody_up():
    async def scene(pacer):
        log = []
        await asyncio.gather(*(ask(pacer, log, chat) for chat in ["A", "A", "A", "B"]))
        return log

    log = play(scene)
    assert [chat for _, chat in log] == ["A", "B", "A", "A"]
    assert [at for at, _ in log] == pytest.approx([0, GAP, 1, 2])


def test_a_group_hears_twenty_messages_a_minute():
    async def scene(pacer):
        log = []
        await asyncio.gather(*(ask(pacer, log, -100123) for _ in range(GROUP_MESSAGES + 2)))
        return [at for at, _ in log]

    starts = play(scene)
    assert starts == pytest.approx([*range(GROUP_MESSAGES), 60, 61])


def test_chats_are_the_same_as_numbers_and_as_text():
    async def scene(pacer):
        log = []
        await asyncio.gather(ask(pacer, log, 7), ask(pacer, log, "7"))
        return [at for at, _ in log]

    assert play(scene) == pytest.approx([0, 1])


# --- who goes first -------------------------------------------------------------------------


def test_replies_go_before_reminders_and_those_before_bulk():
    async def scene(pacer):
        log = []
        await asyncio.gather(
            ask(pacer, log, "taken at once", BULK),
            ask(pacer, log, "bulk 1", BULK),
            ask(pacer, log, "bulk 2", BULK),
            ask(pacer, log, "reminder", REMINDER),
            ask(pacer, log, "reply", REPLY),
        )
        return [chat for _, chat in log]

    assert play(scene) == ["taken at once", "reply", "reminder", "bulk 1", "bulk 2"]


def test_whoever_comes_while_others_wait_for_their_chat_starts_at_once():
    async def scene(pacer):
        log = []
        await pacer.turn("A", REPLY)
        waiting = asyncio.create_task(ask(pacer, log, "A", REPLY))
        await asyncio.sleep(0.5)
        await ask(pacer, log, "B", BULK)
        await waiting
        return log

    assert play(scene) == [(0.5, "B"), (1.0, "A")]


def test_a_cancelled_waiter_gives_up_its_place():
    async def scene(pacer):
        log = []
        await pacer.turn("A", BULK)
        first, second = (asyncio.create_task(ask(pacer, log, chat)) for chat in ["B", "C"])
        await asyncio.sleep(0)
        first.cancel()
        await second
        assert first.cancelled()
        return log

    assert play(scene) == [(pytest.approx(GAP), "C")]


# --- halts ----------------------------------------------------------------------------------


def test_nothing_starts_inside_a_halt_and_a_halt_only_grows():
    async def scene(pacer):
        log = []
        pacer.halt(3)
        pacer.halt(1)
        await asyncio.gather(ask(pacer, log, "A", REPLY), ask(pacer, log, "B", BULK))
        return log

    assert play(scene) == [(3.0, "A"), (pytest.approx(3 + GAP), "B")]


def test_a_halt_longer_than_ones_patience_is_refused():
    async def scene(pacer):
        pacer.halt(5)
        await asyncio.sleep(1)
        with pytest.raises(NotNow) as refusal:
            await pacer.turn("A", BULK, patience=2)
        assert refusal.value.seconds == pytest.approx(4)
        await pacer.turn("A", BULK, patience=4.5)
        return now()

    assert play(scene) == pytest.approx(5)


def test_a_halt_sends_the_impatient_away_while_they_wait():
    async def scene(pacer):
        log = []
        await pacer.turn("A", REPLY)
        impatient = asyncio.create_task(ask(pacer, log, "B", patience=1))
        patient = asyncio.create_task(ask(pacer, log, "C"))
        await asyncio.sleep(0)
        pacer.halt(30)
        with pytest.raises(NotNow) as refusal:
            await impatient
        assert refusal.value.seconds == pytest.approx(30)
        assert now() == 0
        await patient
        return log

    assert play(scene) == [(30.0, "C")]


# --- what counts ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "weight"),
    [
        ("sendMessage", Weight.MESSAGE),
        ("sendPhoto", Weight.MESSAGE),
        ("sendDocument", Weight.MESSAGE),
        ("copyMessage", Weight.MESSAGE),
        ("forwardMessages", Weight.MESSAGE),
        ("editMessageText", Weight.EDIT),
        ("editMessageReplyMarkup", Weight.EDIT),
        ("answerCallbackQuery", Weight.FREE),
        ("sendChatAction", Weight.FREE),
        ("getMe", Weight.FREE),
        ("getUpdates", Weight.FREE),
        ("setMyCommands", Weight.FREE),
        ("deleteMessage", Weight.FREE),
    ],
)
def test_what_a_method_counts_towards(method, weight):
    assert weigh(method) is weight


def test_answers_to_taps_never_wait_and_edits_wait_for_no_chat():
    async def scene(pacer):
        await pacer.before("sendMessage", 1, REPLY)
        await pacer.before("answerCallbackQuery", None, REPLY)
        assert now() == 0
        await pacer.before("editMessageText", 1, REPLY)
        assert now() == pytest.approx(GAP)
        await pacer.before("sendMessage", 1, REPLY)
        assert now() == pytest.approx(1)

    play(scene)


def test_a_flood_of_name_changes_silences_nobody():
    async def scene(pacer):
        pacer.flooded("setMyName", 80_000)
        await pacer.before("sendMessage", 1, REPLY)
        assert now() == 0
        pacer.flooded("sendMessage", 7)
        await pacer.before("sendMessage", 2, REPLY)
        assert now() == pytest.approx(7)

    play(scene)


def test_chats_are_forgotten_once_they_no_longer_matter():
    async def scene(pacer):
        for chat in range(3_000):
            await pacer.turn(chat, BULK)
        return pacer

    pacer = play(scene)
    assert len(pacer._chats) <= 60 * MESSAGES_PER_SECOND + 1
    assert not any(pacer._lanes)
    assert pacer._usher is None or pacer._usher.done()


# --- the same, for any story ----------------------------------------------------------------


@dataclass
class Request:
    asked: float
    chat: str | None
    priority: int
    patience: float | None
    leaves_after: float | None
    started: float = inf
    left: float = inf  # cancelled or refused
    order: int = 0


moments = some.floats(0, 10).map(lambda at: round(at, 3))
requests = some.builds(
    Request,
    asked=moments,
    chat=some.sampled_from([None, "1", "2", "3", "-5"]),
    priority=some.sampled_from([REPLY, REMINDER, BULK]),
    patience=some.none() | some.floats(0, 5),
    leaves_after=some.none() | some.floats(0.001, 5),
)
halts = some.tuples(moments, some.floats(0.1, 20))


async def live(pacer, request, order):
    await asyncio.sleep(request.asked)
    request.order = next(order)
    try:
        async with asyncio.timeout(request.leaves_after):
            await pacer.turn(request.chat, request.priority, patience=request.patience)
    except (TimeoutError, NotNow):
        request.left = now()
    else:
        request.started = now()


def chat_ready(request, earlier):
    """From when on its chat was free, after what had started earlier."""
    starts = [e.started for e in earlier if e.chat == request.chat]
    if request.chat is None or not starts:
        return -inf
    ready = starts[-1] + 1
    if request.chat == "-5" and len(starts) >= GROUP_MESSAGES:
        ready = max(ready, starts[-GROUP_MESSAGES] + 60)
    return ready


@given(some.lists(requests, max_size=60), some.lists(halts, max_size=3))
def test_any_story_keeps_the_limits_and_wastes_no_time(people, stops):
    async def stop(pacer, at, seconds):
        await asyncio.sleep(at)
        pacer.halt(seconds)

    async def scene(pacer):
        order = iter(range(len(people)))
        await asyncio.gather(
            *(stop(pacer, at, seconds) for at, seconds in stops),
            *(live(pacer, person, order) for person in people),
        )
        assert not any(pacer._lanes)

    play(scene)
    started = sorted((p for p in people if p.started < inf), key=lambda p: p.started)
    # Nobody is left over: each started, or left by its own will or impatience.
    assert all(p.started < inf or p.left < inf for p in people)
    assert all(b.started - a.started >= GAP - A_HAIR for a, b in pairwise(started))
    for i, one in enumerate(started):
        earlier, at = started[:i], one.started
        assert at >= chat_ready(one, earlier) - A_HAIR
        for begin, seconds in stops:
            assert not begin + A_HAIR < at < begin + seconds - A_HAIR
        # It waited for a reason, and no longer than that.
        reasons = [one.asked, chat_ready(one, earlier)]
        reasons += [earlier[-1].started + GAP] if earlier else []
        reasons += [begin + seconds for begin, seconds in stops if begin <= at + A_HAIR]
        assert at <= max(reasons) + A_HAIR
        # Nobody who was waiting, whose chat was free, had the better right.
        for other in people:
            waiting = other.asked < at - A_HAIR and min(other.started, other.left) > at + A_HAIR
            free = chat_ready(other, earlier) < at - A_HAIR
            better = (other.priority, other.order) < (one.priority, one.order)
            assert not (waiting and free and better)


def test_the_pacer_outlives_a_cancelled_crowd():
    async def scene(pacer):
        log = []
        pacer.halt(10)
        crowd = [asyncio.create_task(ask(pacer, log, chat)) for chat in range(50)]
        await asyncio.sleep(1)
        for task in crowd:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*crowd)
        await ask(pacer, log, "A", REPLY)
        return log

    assert play(scene) == [(10.0, "A")]
