"""What Telegram lets a bot write, and in what words it refuses the rest."""

import re
from collections.abc import Iterable
from typing import Any

from bot.simulator.arguments import Arguments
from bot.simulator.errors import bad_request, forbidden
from bot.simulator.markup import Entity, parse_html, units
from bot.simulator.world import Chat, World

MAX_TEXT = 4096
"""UTF-16 units after entities parsing. Source: Bot API, "sendMessage", text."""

MAX_CAPTION = 1024
"""UTF-16 units after entities parsing. Source: Bot API, "sendDocument", caption."""

MAX_ENTITIES = 100
"""Entities of a message; further ones are dropped. Source: core.telegram.org/api/entities."""

_FOUND = re.compile(
    r"(?P<url>https?://[^\s<>\"\u2068\u2069]+|(?<![\w@./])t\.me/[^\s<>\"\u2068\u2069]+)"
    r"|(?P<email>(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<mention>(?<!\w)@[A-Za-z]\w{3,31}\b)"
    r"|(?P<hashtag>(?<!\w)#\w*[^\W\d]\w*)"
    r"|(?P<bot_command>(?<![\w/])/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?(?![\w/]))",
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def text_of(arguments: Arguments) -> tuple[str, tuple[Entity, ...]]:
    """Read the text of a message with its entities."""
    if not arguments.text("text"):
        raise bad_request("message text is empty")
    text, entities = _formatted(arguments, "text", "entities")
    if not text:
        raise bad_request("text must be non-empty")
    if units(text) > MAX_TEXT:
        raise bad_request("message is too long")
    return text, entities


def caption_of(arguments: Arguments) -> tuple[str, tuple[Entity, ...]]:
    """Read the caption of a file with its entities; both may be empty."""
    caption, entities = _formatted(arguments, "caption", "caption_entities")
    if units(caption) > MAX_CAPTION:
        raise bad_request("message caption is too long")
    return caption, entities


def found_entities(text: str, given: Iterable[Entity] = ()) -> tuple[Entity, ...]:
    """Add the links, commands and mentions that Telegram finds by itself in a text."""
    entities = list(given)
    # Inside these, and across other entities' borders, Telegram looks for nothing.
    taken = [(e["offset"], e["offset"] + e["length"]) for e in entities if e["type"] in _OPAQUE]
    for match in _FOUND.finditer(text):
        found = match[0].rstrip(".,:;!?)»") if match.lastgroup == "url" else match[0]
        start = units(text[: match.start()])
        end = start + units(found)
        if not any(start < other_end and other < end for other, other_end in taken):
            entities.append({"type": match.lastgroup, "offset": start, "length": end - start})
    return tuple(sorted(entities, key=lambda e: (e["offset"], -e["length"])))


_OPAQUE = {"code", "pre", "text_link", "text_mention", "date_time", "custom_emoji"}


def chat_of(world: World, arguments: Arguments) -> Chat:
    """Find the chat that a call names."""
    chat_id = arguments.text("chat_id")
    if not chat_id:
        raise bad_request("chat_id is empty")
    chat = world.chats.get(arguments.integer("chat_id"))
    if chat is None:
        raise bad_request("chat not found")
    if chat.migrated_to is not None:
        raise bad_request(
            "group chat was upgraded to a supergroup chat",
            migrate_to_chat_id=chat.migrated_to,
        )
    return chat


def open_chat(world: World, arguments: Arguments) -> Chat:
    """Find the chat that a call names, and make sure the bot may speak there."""
    chat = chat_of(world, arguments)
    if chat.deactivated:
        raise forbidden("user is deactivated")
    if chat.blocked:
        raise forbidden("bot was blocked by the user")
    if not chat.started:
        raise forbidden("bot can't initiate conversation with a user")
    if chat.left:
        raise forbidden(f"bot was kicked from the {chat.kind} chat")
    return chat


def reply_of(chat: Chat, arguments: Arguments) -> int | None:
    """Find the message that is answered, if any."""
    parameters: Any = arguments.structure("reply_parameters")
    if not parameters:
        return None
    if "message_id" not in parameters:
        raise bad_request('can\'t find field "message_id"')
    if parameters["message_id"] in chat.screen:
        return int(parameters["message_id"])
    if not parameters.get("allow_sending_without_reply"):
        raise bad_request("message to be replied not found")
    return None


def _formatted(
    arguments: Arguments, field: str, entities_field: str
) -> tuple[str, tuple[Entity, ...]]:
    text = _CONTROL.sub(" ", arguments.text(field).replace("\r", ""))
    mode = arguments.text("parse_mode").lower()
    if mode == "html":
        text, entities = parse_html(text)
    elif mode:
        raise bad_request("unsupported parse_mode")
    else:
        entities = _checked(arguments.structure(entities_field) or [], units(text))
    text, entities = _trimmed(text, entities)
    return text, found_entities(text, entities[:MAX_ENTITIES])


def _checked(entities: list[Entity], length: int) -> list[Entity]:
    """Check entities that the bot gave itself."""
    for entity in entities:
        start, end = entity["offset"], entity["offset"] + entity["length"]
        if start < 0:
            raise bad_request(f"receive an entity with incorrect offset {start}")
        if start > length:
            raise bad_request(
                f"entity begins after the end of the text at UTF-16 offset {start}",
            )
        if end > length:
            raise bad_request(
                f"entity beginning at UTF-16 offset {start} ends after the end of the text "
                f"at UTF-16 offset {end}",
            )
    return entities


def _trimmed(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Cut white space from both ends as Telegram does: in front only up to the first entity."""
    text = text.rstrip(" \n")
    first = min((entity["offset"] for entity in entities), default=len(text))
    gap = min(len(text) - len(text.lstrip(" \n")), first)
    text, length = text[gap:], units(text) - gap
    kept = []
    for entity in entities:
        start = entity["offset"] - gap
        end = min(start + entity["length"], length)
        if end > start:
            kept.append(entity | {"offset": start, "length": end - start})
    return text, kept
