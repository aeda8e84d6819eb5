"""A messenger that is down: asked again until a letter expires, left alone, soon noticed when back."""

from datetime import timedelta

import pytest

from bot.channels import Later
from storage.tables import Fate
from tests.post_office import NOON, open_post_office


@pytest.fixture
async def post(storage):
    async with open_post_office(storage) as post:
        yield post


@pytest.fixture
async def amal(post):
    return await post.member("70", language="fr")


async def test_a_server_that_is_down_is_asked_until_the_attempts_are_spent(post, amal, monkeypatch):
    monkeypatch.setattr("storage.settlements.MAX_ATTEMPTS", 12)
    await post.post("hello", amal)
    post.messenger.answers = [Later("down")] * 99
    tries = 0
    while (await post.rows("state"))[0][1] == Fate.QUEUED:
        await post.passes(minutes=8)
        tries += await post.delivery.deliver()
    assert tries == len(post.messenger.heard) == 12
    assert await post.rows("state", "reason", "attempts") == [("hello", Fate.FAILED, "down", 12)]


async def test_a_server_that_is_down_is_asked_until_the_letter_expires(post, amal):
    await post.post("hello", amal, expires=NOON + timedelta(seconds=20))
    post.messenger.answers = [Later("down")] * 99
    for _ in range(30):
        await post.passes(seconds=2)
        await post.delivery.deliver()
    assert await post.rows("state", "reason") == [("hello", Fate.VOID, "expired")]
    assert 3 <= len(post.messenger.heard) <= 6


async def test_a_server_that_was_down_for_hours_is_back_for_everybody_within_ten_seconds(post):
    for number in range(40):
        await post.post(f"{number}", await post.member(f"{100 + number}"))
    post.messenger.answers = [Later("down")] * 1_000_000
    for _ in range(60):
        await post.passes(minutes=5)
        await post.delivery.deliver()
    heard = len(post.messenger.heard)
    assert heard <= 60 * 8, "a server that is down is left alone, but for a few letters"
    post.messenger.answers = []
    for _ in range(10):
        await post.passes(seconds=1)
        while await post.delivery.deliver():
            pass
    assert {row[1] for row in await post.rows("state")} == {Fate.SENT}
    assert len(post.messenger.heard) == heard + 40


async def test_one_letter_that_the_server_chokes_on_holds_up_no_other(post, amal):
    await post.post("hello", amal)
    await post.post("goodbye", await post.member("71"))
    post.messenger.answers = [Later("status 500")]
    await post.delivery.deliver()
    assert await post.rows("state") == [("hello", Fate.QUEUED), ("goodbye", Fate.SENT)]
