"""Inline mode as the Bot API has it: what is asked, answered, posted, edited, and refused."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from bot.simulator import Simulator

Call = Callable[..., Awaitable[Any]]
ARTICLE: dict[str, Any] = {
    "type": "article",
    "id": "1",
    "title": "A card",
    "input_message_content": {"message_text": "<b>Hi</b>", "parse_mode": "HTML"},
    "reply_markup": {"inline_keyboard": [[{"text": "Go", "url": "https://t.me/JisrBot"}]]},
}
TOO_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"


@pytest.fixture
async def town():
    """A simulator with Amal and a group that the bot isn't in, and a way to call methods."""
    sim = Simulator(now=lambda: datetime(2026, 11, 24, tzinfo=UTC))
    amal = sim.person("Amal")
    group = sim.group("Friends", [amal])
    group.removes_bot()
    async with sim.serve() as url, aiohttp.ClientSession() as http:

        async def call(method: str, **values: Any) -> Any:
            async with http.post(f"{url}/bot{sim.token}/{method}", json=values) as answer:
                body = await answer.json()
                return body["result"] if body["ok"] else body["description"]

        yield sim, amal, group, call


def kinds(sim: Simulator) -> list[str]:
    return [key for one in sim.world.mailbox.pending.values() for key in one.body][1::2]


async def test_an_answer_is_posted_edited_and_told_to_the_bot(town: Any):
    sim, amal, group, call = town
    assert (await call("getMe"))["supports_inline_queries"] is True
    amal.asks("hi")
    (update,) = await call("getUpdates")
    query = update["inline_query"]
    assert (query["query"], query["offset"], query["from"]["id"]) == ("hi", "", amal.id)
    assert await call("answerInlineQuery", inline_query_id=query["id"], results=[ARTICLE]) is True
    message = amal.posts("A card", group.chat)
    assert (message.text, message.labels) == ("Hi", ["Go"])
    assert kinds(sim) == ["inline_query", "chosen_inline_result"]
    chosen = (await call("getUpdates", offset=update["update_id"] + 1))[0]["chosen_inline_result"]
    assert (chosen["result_id"], chosen["query"]) == ("1", "hi")
    edit = {"inline_message_id": chosen["inline_message_id"], "text": "Bye"}
    assert await call("editMessageText", **edit) is True
    assert group.chat.messages[-1].text == "Bye"
    assert (await call("editMessageText", **edit)).startswith(
        "Bad Request: message is not modified"
    )
    sim.world.remove(group.chat.messages[-1])
    assert await call("editMessageText", **edit) == "Bad Request: MESSAGE_ID_INVALID"


async def test_without_a_keyboard_nothing_can_be_edited_and_where_the_bot_is_it_hears(town: Any):
    sim, amal, _, call = town
    amal.asks()
    bare = {key: value for key, value in ARTICLE.items() if key != "reply_markup"}
    question = next(iter(sim.world.inline.questions))
    await call("answerInlineQuery", inline_query_id=question, results=[bare])
    amal.posts("A card", amal.chat)
    heard = [one.body for one in sim.world.mailbox.pending.values()]
    assert heard[1]["message"]["via_bot"]["username"] == "JisrBot"
    assert "inline_message_id" not in heard[2]["chosen_inline_result"]


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        ({"inline_query_id": "7", "results": []}, TOO_OLD),
        (
            {"results": [ARTICLE | {"id": str(n)} for n in range(51)]},
            "Bad Request: RESULTS_TOO_MUCH",
        ),
        ({"results": [ARTICLE, ARTICLE]}, "Bad Request: RESULT_ID_DUPLICATE"),
        ({"results": [ARTICLE | {"id": "x" * 65}]}, "Bad Request: RESULT_ID_INVALID"),
        ({"results": [ARTICLE | {"id": ""}]}, "Bad Request: RESULT_ID_INVALID"),
        ({"results": [], "next_offset": "x" * 65}, "Bad Request: NEXT_OFFSET_INVALID"),
        (
            {"results": [ARTICLE | {"input_message_content": {"message_text": "x" * 4097}}]},
            "Bad Request: message is too long",
        ),
        (
            {"results": [ARTICLE | {"title": ""}]},
            "Bad Request: can't parse inline query result: title must be non-empty",
        ),
    ],
)
async def test_what_breaks_the_limits_is_refused(town: Any, answer: dict[str, Any], refusal: str):
    sim, amal, _, call = town
    amal.asks("hi")
    (question,) = sim.world.inline.questions
    assert await call("answerInlineQuery", **{"inline_query_id": question} | answer) == refusal


async def test_a_question_is_answered_once(town: Any):
    sim, amal, _, call = town
    amal.asks("hi")
    (question,) = sim.world.inline.questions
    assert await call("answerInlineQuery", inline_query_id=question, results=[]) is True
    assert await call("answerInlineQuery", inline_query_id=question, results=[]) == TOO_OLD
    assert amal.choices == []
    with pytest.raises(LookupError, match="no answer"):
        amal.posts("A card", amal.chat)
