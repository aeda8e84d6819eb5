"""Inline mode: a person asks the bot from any chat, and posts one of its answers there.

Source: Bot API, "Inline mode": InlineQuery, answerInlineQuery, ChosenInlineResult. Only articles
with text are known here, as no other result is used.
"""

from typing import TYPE_CHECKING, Any

from bot.simulator.arguments import Arguments
from bot.simulator.errors import bad_request
from bot.simulator.keyboards import parse_inline_markup
from bot.simulator.questions import Choice, Question
from bot.simulator.rules import text_of

if TYPE_CHECKING:
    from bot.simulator.world import Chat, Json, Message, World

MAX_RESULTS = 50
"""Results of one answer. Source: Bot API, "answerInlineQuery", results."""

MAX_ID = MAX_OFFSET = 64
"""Bytes. Source: Bot API, "InlineQueryResultArticle", id; "answerInlineQuery", next_offset."""

MAX_QUERY = 256
"""Characters. Source: Bot API, "InlineQuery", query."""


def answer_inline_query(world: "World", arguments: Arguments) -> bool:
    """Show answers over the typing box."""
    question = world.inline.questions.get(arguments.text("inline_query_id"))
    if question is None or question.choices is not None:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    results = arguments.structure("results")
    if not isinstance(results, list):
        raise bad_request("can't parse inline query results: expected an Array")
    if len(results) > MAX_RESULTS:
        raise bad_request("RESULTS_TOO_MUCH")
    if len(arguments.text("next_offset").encode()) > MAX_OFFSET:
        raise bad_request("NEXT_OFFSET_INVALID")
    choices = [_choice(result) for result in results]
    if len({choice.id for choice in choices}) < len(choices):
        raise bad_request("RESULT_ID_DUPLICATE")
    question.choices = choices
    world.changes.tell("inline", question.user_id)
    return True


def _choice(result: Any) -> Choice:
    if not isinstance(result, dict) or result.get("type") != "article":
        raise bad_request("can't parse inline query result: only articles are known here")
    if not 1 <= len(str(result.get("id", "")).encode()) <= MAX_ID:
        raise bad_request("RESULT_ID_INVALID")
    if not result.get("title"):
        raise bad_request("can't parse inline query result: title must be non-empty")
    given = result.get("input_message_content")
    if not isinstance(given, dict) or "message_text" not in given:
        raise bad_request("can't parse inline query result: message content is not specified")
    text, entities = text_of(Arguments(given | {"text": given["message_text"]}))
    markup = parse_inline_markup(result.get("reply_markup"))
    content = {"text": text, "entities": entities, "markup": markup}
    return Choice(str(result["id"]), result["title"], result.get("description", ""), content)


def inline_message(world: "World", arguments: Arguments) -> "Message | None":
    """The message that a call names by its inline_message_id; None if it names none so."""
    id_ = arguments.text("inline_message_id")
    if not id_:
        return None
    chat_id, message_id = world.inline.posted.get(id_, (0, 0))
    message = world.chats[chat_id].screen.get(message_id) if chat_id else None
    if message is None:
        raise bad_request("MESSAGE_ID_INVALID")
    return message


class Asks:
    """What a person does with inline mode. Methods that act return the id of the update."""

    _world: "World"
    user: "Json"

    def asks(self, query: str = "") -> int:
        """Type "@bot query" in some chat."""
        world, inline = self._world, self._world.inline
        if not inline.enabled:
            raise RuntimeError("the bot has no inline mode")
        id_ = f"{6_000_000_000 + len(inline.questions)}"
        inline.questions[id_] = Question(id_, self.user["id"], query[:MAX_QUERY])
        body = {"id": id_, "from": self.user, "query": query[:MAX_QUERY], "offset": ""}
        return world.mailbox.post("inline_query", body | {"chat_type": "group"}, self.user["id"])

    @property
    def choices(self) -> list[Choice]:
        """What the bot answered to the latest question."""
        return self._question().choices or []

    def posts(self, title: str, chat: "Chat") -> "Message":
        """Choose an answer by its title: it is posted in this chat, and the bot is told."""
        world, inline, question = self._world, self._world.inline, self._question()
        choice = next((one for one in self.choices if one.title == title), None)
        if choice is None:
            raise LookupError(f"no answer {title!r} among {[one.title for one in self.choices]}")
        extra = {"via_bot": world.bot}
        message = world.put(chat, outgoing=False, sender=self.user, extra=extra, **choice.content)
        if not chat.left:  # the bot is there, and hears what comes by its own name
            world.mailbox.post("message", world.message_json(message), chat.id)
        chosen = {"result_id": choice.id, "from": self.user, "query": question.query}
        if message.keyboard:
            # Source: Bot API, "ChosenInlineResult": only with an inline keyboard is it editable.
            id_ = f"BAAAAx{len(inline.posted):08}"
            inline.posted[id_] = (chat.id, message.id)
            chosen["inline_message_id"] = id_
        if inline.feedback:
            world.mailbox.post("chosen_inline_result", chosen, self.user["id"])
        return message

    def _question(self) -> Question:
        mine = (
            question
            for question in reversed(self._world.inline.questions.values())
            if question.user_id == self.user["id"]
        )
        found = next(mine, None)
        if found is None:
            raise LookupError("nothing was asked")
        return found
