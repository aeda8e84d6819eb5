"""The methods of the Bot API that speak: messages, files, taps, chats and updates.

Each takes the world and the call's arguments, and returns the `result` or raises an ApiError.
Limits and error words stand in `rules.py` and `keyboards.py`; the methods that dress the bot
in `profile_methods.py`.
"""

from typing import Any
from urllib.parse import urlsplit

from bot.simulator.arguments import Arguments
from bot.simulator.errors import bad_request
from bot.simulator.files import MAX_DOWNLOAD, StoredFile
from bot.simulator.inline import answer_inline_query, inline_message
from bot.simulator.keyboards import parse_inline_markup, parse_markup
from bot.simulator.mailbox import MAX_BATCH, Webhook
from bot.simulator.markup import Entity
from bot.simulator.rules import caption_of, chat_of, open_chat, reply_of, text_of
from bot.simulator.world import Chat, Json, Message, Toast, World

MAX_TOAST = 200
"""Characters of a callback answer. Source: Bot API, "answerCallbackQuery", text."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")

_ACTIONS = {
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
}


def get_me(world: World, _: Arguments) -> Json:
    """Say who the bot is."""
    return world.bot | {
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": world.inline.enabled,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


async def get_updates(world: World, arguments: Arguments) -> list[Json]:
    """Hand out updates, waiting for one if asked to."""
    world.mailbox.allow(arguments.structure("allowed_updates"))
    return await world.mailbox.poll(
        offset=arguments.integer("offset"),
        limit=arguments.integer("limit", MAX_BATCH),
        wait=arguments.integer("timeout"),
    )


def set_webhook(world: World, arguments: Arguments) -> bool:
    """Have updates brought to an address; an empty one is the same as deleteWebhook."""
    url = arguments.text("url")
    if not url:
        return delete_webhook(world, arguments)
    parts = urlsplit(url)
    # Telegram wants HTTPS. Here the bot is a neighbour, and nothing may leave this machine.
    if parts.hostname not in LOOPBACK or parts.scheme != "http":
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if arguments.flag("drop_pending_updates"):
        world.mailbox.acknowledge(list(world.mailbox.pending))
    world.mailbox.allow(arguments.structure("allowed_updates"))
    world.mailbox.webhook = Webhook(
        url=url,
        secret=arguments.text("secret_token") or None,
        max_connections=arguments.integer("max_connections", 40),
    )
    world.mailbox.stop_polling()
    return True


def delete_webhook(world: World, arguments: Arguments) -> bool:
    """Go back to long polling."""
    if arguments.flag("drop_pending_updates"):
        world.mailbox.acknowledge(list(world.mailbox.pending))
    world.mailbox.webhook = None
    world.changes.tell("webhook")
    return True


def get_webhook_info(world: World, _: Arguments) -> Json:
    """Say where updates go and how many wait."""
    mailbox = world.mailbox
    info: Json = {
        "url": mailbox.webhook.url if mailbox.webhook else "",
        "has_custom_certificate": False,
        "pending_update_count": len(mailbox.pending),
    }
    if mailbox.webhook:
        info["max_connections"] = mailbox.webhook.max_connections
    if mailbox.allowed is not None:
        info["allowed_updates"] = sorted(mailbox.allowed)
    if mailbox.last_error is not None:
        info["last_error_date"], info["last_error_message"] = mailbox.last_error
    return info


def send_message(world: World, arguments: Arguments) -> Json:
    """Say something."""
    text, entities = text_of(arguments)
    return _say(world, arguments, text=text, entities=entities)


def send_photo(world: World, arguments: Arguments) -> Json:
    """Send a picture."""
    caption, entities = caption_of(arguments)
    photo = _file(world, arguments, "photo")
    return _say(world, arguments, text=caption, entities=entities, photo=photo)


def send_document(world: World, arguments: Arguments) -> Json:
    """Send a file."""
    caption, entities = caption_of(arguments)
    document = _file(world, arguments, "document")
    return _say(world, arguments, text=caption, entities=entities, document=document)


def edit_message_text(world: World, arguments: Arguments) -> Json | bool:
    """Change the text of a message of the bot, and the buttons with it."""
    text, entities = text_of(arguments)
    message = inline_message(world, arguments) or _own_message(world, arguments)
    if message.photo or message.document:
        raise bad_request("there is no text in the message to edit")
    return _rewrite(world, arguments, message, text, entities)


def edit_message_caption(world: World, arguments: Arguments) -> Json | bool:
    """Change the caption of a file of the bot, and the buttons with it."""
    caption, entities = caption_of(arguments)
    message = _own_message(world, arguments)
    if not (message.photo or message.document):
        raise bad_request("there is no caption in the message to edit")
    return _rewrite(world, arguments, message, caption, entities)


def edit_message_reply_markup(world: World, arguments: Arguments) -> Json | bool:
    """Change only the buttons."""
    message = inline_message(world, arguments) or _own_message(world, arguments)
    return _rewrite(world, arguments, message, message.text, message.entities)


def delete_message(world: World, arguments: Arguments) -> bool:
    """Take a message off the screen."""
    chat = chat_of(world, arguments)
    message = chat.screen.get(arguments.integer("message_id"))
    if message is None:
        raise bad_request("message to delete not found")
    if not message.outgoing and chat.kind != "private":
        raise bad_request("message can't be deleted")
    world.remove(message)
    return True


def answer_callback_query(world: World, arguments: Arguments) -> bool:
    """End a tap's spinner, and show a notice if there is something to say."""
    tap = world.taps.get(arguments.text("callback_query_id"))
    if tap is None:
        raise bad_request(
            "query is too old and response timeout expired or query ID is invalid",
        )
    text = arguments.text("text")
    if len(text) > MAX_TOAST:
        raise bad_request("MESSAGE_TOO_LONG")
    tap.answered = True
    toast = Toast(text, arguments.flag("show_alert"))
    if text:
        world.chats[tap.user_id].toasts.append(toast)
    about = {"query": tap.id, "user_id": tap.user_id, "url": arguments.text("url")}
    world.changes.tell("answered", tap.chat_id, about | toast._asdict())
    return True


def send_chat_action(world: World, arguments: Arguments) -> bool:
    """Show that the bot is busy."""
    action = arguments.text("action")
    if action not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    chat = open_chat(world, arguments)
    world.changes.tell("typing", chat.id, action)
    return True


def set_message_reaction(world: World, arguments: Arguments) -> bool:
    """Put an emoji on a message, or take it away."""
    chat = open_chat(world, arguments)
    message = chat.screen.get(arguments.integer("message_id"))
    if message is None:
        raise bad_request("message to react not found")
    reactions = arguments.structure("reaction") or []
    emoji = next((r.get("emoji") for r in reactions if r.get("type") == "emoji"), None)
    if reactions and emoji is None:
        raise bad_request("REACTION_INVALID")
    world.change(message, reaction=emoji)
    return True


def get_file(world: World, arguments: Arguments) -> Json:
    """Say where a file can be downloaded."""
    stored = world.files.by_id.get(arguments.text("file_id"))
    if stored is None:
        raise bad_request("invalid file_id")
    if stored.size > MAX_DOWNLOAD:
        raise bad_request("file is too big")
    return {
        "file_id": stored.id,
        "file_unique_id": stored.unique_id,
        "file_size": stored.size,
        "file_path": stored.path,
    }


def get_chat(world: World, arguments: Arguments) -> Json:
    """Describe a chat."""
    nothing_given = {"unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription"}
    return chat_of(world, arguments).as_json() | {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(
            sorted(nothing_given | {"gifts_from_channels"}), False
        ),
    }


def get_chat_member(world: World, arguments: Arguments) -> Json:
    """Describe a person's place in a chat."""
    chat = chat_of(world, arguments)
    user = world.users.get(arguments.integer("user_id"))
    if user is None:
        raise bad_request("invalid user_id specified")
    inside = user["id"] in (*chat.members, world.bot["id"], chat.id)
    return {"status": "member" if inside else "left", "user": user}


def _say(world: World, arguments: Arguments, **content: Any) -> Json:
    """Put a message of the bot into the chat that the call names."""
    markup = parse_markup(arguments.structure("reply_markup"))
    chat = open_chat(world, arguments)
    reply_to = reply_of(chat, arguments)
    _set_reply_keyboard(chat, markup)
    message = world.put(
        chat,
        outgoing=True,
        sender=world.bot,
        markup=markup,
        reply_to=reply_to,
        **content,
    )
    return world.message_json(message)


def _set_reply_keyboard(chat: Chat, markup: Json | None) -> None:
    """Show or hide the keyboard that stands in for the typing box."""
    if markup and "keyboard" in markup:
        chat.reply_keyboard = markup
    elif markup and "remove_keyboard" in markup:
        chat.reply_keyboard = None


def _own_message(world: World, arguments: Arguments) -> Message:
    """Find the message that the bot wants to edit."""
    chat = open_chat(world, arguments)
    message = chat.screen.get(arguments.integer("message_id"))
    if message is None:
        raise bad_request("message to edit not found")
    if not message.outgoing:
        raise bad_request("message can't be edited")
    return message


def _rewrite(
    world: World,
    arguments: Arguments,
    message: Message,
    text: str,
    entities: tuple[Entity, ...],
) -> Json | bool:
    """Change a message, unless nothing would change."""
    markup = parse_inline_markup(arguments.structure("reply_markup"))
    if (text, entities, markup) == (message.text, message.entities, message.markup):
        raise bad_request(
            "message is not modified: specified new message content and reply markup are "
            "exactly the same as a current content and reply markup of the message",
        )
    # Telegram calls a message edited when its words changed, not when its buttons did.
    same_words = (text, entities) == (message.text, message.entities)
    edited = message.edited if same_words else world.now()
    changed = world.change(message, text=text, entities=entities, markup=markup, edited=edited)
    # Source: Bot API, "editMessageText": of an inline message no Message is returned.
    return arguments.text("inline_message_id") != "" or world.message_json(changed)


def _file(world: World, arguments: Arguments, kind: str) -> StoredFile:
    """Take in the file of a call, new or known."""
    given = arguments.file(kind)
    if given is None:
        raise bad_request(f"there is no {kind} in the request")
    if not isinstance(given, str):
        return world.files.upload(kind, given.name, given.mime, given.data)
    if "://" in given:
        # A real server fetches it; this one reaches nothing outside.
        raise bad_request("failed to get HTTP URL content")
    return world.files.again(given, kind)


METHODS = {
    "getMe": get_me,
    "getUpdates": get_updates,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "sendDocument": send_document,
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "answerCallbackQuery": answer_callback_query,
    "answerInlineQuery": answer_inline_query,
    "sendChatAction": send_chat_action,
    "setMessageReaction": set_message_reaction,
    "getFile": get_file,
    "getChat": get_chat,
    "getChatMember": get_chat_member,
}
