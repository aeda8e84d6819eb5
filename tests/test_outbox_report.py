"""What `jisr outbox` says."""

from io import StringIO

import pytest
from rich.console import Console

from bot.channels import Lost
from bot.outbox_report import release, report
from storage.tables import Fate, Lane
from tests.post_office import NOON, open_post_office


@pytest.fixture
async def post(storage):
    async with open_post_office(storage) as post:
        yield post


async def printed(what, *arguments):
    """What it prints, without the padding of tables."""
    paper = StringIO()
    await what(*arguments, Console(file=paper, width=100), NOON)
    lines = paper.getvalue().splitlines()
    return [" ".join(line.split()) for line in lines]


async def test_an_empty_outbox_is_said_to_be_empty(post):
    assert await printed(report, post.storage) == ["The outbox is empty: nothing was ever posted."]


async def test_rows_are_counted_and_those_in_doubt_listed_until_they_are_released(post):
    amal = await post.member("70")
    await post.post("sent", amal)
    await post.post("resent", amal)
    await post.post("held", amal, kind="invoice")
    post.messenger.answers = [Lost("reset"), Lost("reset"), Lost("timeout")]
    await post.delivery.deliver()
    await post.post("later", amal, lane=Lane.BULK)
    assert await printed(report, post.storage) == [
        "state personal reminder bulk",
        "queued 2 1",
        "unknown 1",
        "The oldest letter that is due waits for 0 s.",
        "",
        "These may have come twice, or not at all, because an answer was lost:",
        "id kind state doubts why settled (UTC)",
        "3 invoice unknown 1 timeout 2026-11-22 12:00:00",
        "2 note queued 1 reset",
        "1 note queued 1 reset",
        "Those that are `unknown` wait for you: `jisr outbox --release ID` (or `all`) sends them after all.",
    ]
    assert await printed(release, post.storage, [3, 4]) == ["Released: 3.", "Not held: 4."]
    while await post.delivery.deliver():
        pass
    assert await printed(release, post.storage, None) == ["Released: none."]
    assert {row[1:] for row in await post.rows("state")} == {(Fate.SENT,)}
    assert await printed(report, post.storage) == [
        "state personal reminder bulk",
        "sent 3 1",
        "Nothing is due.",
        "",
        "These may have come twice, or not at all, because an answer was lost:",
        "id kind state doubts why settled (UTC)",
        "3 invoice sent 1 2026-11-22 12:00:00",
        "2 note sent 1 2026-11-22 12:00:00",
        "1 note sent 1 2026-11-22 12:00:00",
    ]
