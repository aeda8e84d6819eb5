"""Everything there is in the simulated Telegram: people, chats, messages, files, updates.

The world knows what things are and how they look in the Bot API's JSON. What a bot may do with
them stands in `methods.py`, what people do in `people.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from bot.simulator.changes import Changes
from bot.simulator.files import Files, StoredFile
from bot.simulator.ledger import Ledger
from bot.simulator.mailbox import Mailbox
from bot.simulator.markup import Entity, as_html
from bot.simulator.profile import Profile
from bot.simulator.questions import Inline

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message: it sends `data` to the bot, opens `url`, or asks the bot `query`
    from another chat.
    """

    text: str
    data: str | None = None
    url: str | None = None
    query: str | None = None
    style: str | None = None
    disabled: bool = False


class Toast(NamedTuple):
    """What answerCallbackQuery showed: a short notice, or an alert to be dismissed."""

    text: str
    show_alert: bool


@dataclass(frozen=True, slots=True)
class Message:
    """One message on the screen, as it was when you looked. `outgoing`: the bot sent it.

    `text` is the caption where there is a file; entities count in UTF-16 units. `extra` holds
    what else the Bot API's Message has for it (sticker, contact, forward_origin and so on).
    """

    id: int
    chat_id: int
    outgoing: bool
    date: datetime
    sender: Json
    text: str = ""
    entities: tuple[Entity, ...] = ()
    markup: Json | None = None
    edited: datetime | None = None
    document: StoredFile | None = None
    photo: StoredFile | None = None
    reply_to: int | None = None
    reaction: str | None = None
    extra: Json = field(default_factory=dict)
    # Grows with every change in the world: tells news from what was heard before.
    version: int = 0

    @property
    def html(self) -> str:
        """The text with its entities, in Telegram's HTML."""
        return as_html(self.text, self.entities)

    @property
    def keyboard(self) -> tuple[tuple[Button, ...], ...]:
        """The rows of inline buttons."""
        rows = (self.markup or {}).get("inline_keyboard", ())
        return tuple(tuple(_button(button) for button in row) for row in rows)

    @property
    def labels(self) -> list[str]:
        """The labels of the inline buttons, row after row."""
        return [button.text for row in self.keyboard for button in row]


def _button(button: Json) -> Button:
    return Button(
        text=button["text"],
        data=button.get("callback_data"),
        url=button.get("url"),
        query=button.get("switch_inline_query"),
        style=button.get("style"),
        disabled="disabled" in button,
    )


@dataclass(slots=True)
class Chat:
    """A private chat or a group, and what stands on its screen."""

    id: int
    kind: str
    about: Json
    started: bool = True
    blocked: bool = False
    deactivated: bool = False
    left: bool = False
    migrated_to: int | None = None
    members: list[int] = field(default_factory=list)
    screen: dict[int, Message] = field(default_factory=dict)
    toasts: list[Toast] = field(default_factory=list)
    reply_keyboard: Json | None = None

    @property
    def messages(self) -> list[Message]:
        """Everything on the screen, oldest first."""
        return list(self.screen.values())

    def as_json(self) -> Json:
        """Return the Bot API's Chat."""
        names = {key: self.about[key] for key in _CHAT_FIELDS if self.about.get(key)}
        return {"id": self.id, "type": self.kind, **names}


_CHAT_FIELDS = ("title", "first_name", "last_name", "username")


@dataclass(slots=True)
class Tap:
    """A button that was pressed and not answered yet. Bot API: CallbackQuery."""

    id: str
    chat_id: int
    message_id: int
    user_id: int
    answered: bool = False


@dataclass(slots=True)
class World:
    """The state of one simulated server with one bot."""

    now: Callable[[], datetime]
    bot: Json
    changes: Changes
    mailbox: Mailbox
    ledger: Ledger = field(default_factory=Ledger)
    files: Files = field(default_factory=Files)
    profile: Profile = field(default_factory=Profile)
    chats: dict[int, Chat] = field(default_factory=dict)
    users: dict[int, Json] = field(default_factory=dict)
    taps: dict[str, Tap] = field(default_factory=dict)
    inline: Inline = field(default_factory=Inline)
    _last_message: int = 0
    _version: int = 0

    def put(self, chat: Chat, *, outgoing: bool, sender: Json, **content: Any) -> Message:
        """Put a new message on a chat's screen."""
        self._last_message += 1
        self._version += 1
        message = Message(
            id=self._last_message,
            chat_id=chat.id,
            outgoing=outgoing,
            date=self.now(),
            sender=sender,
            version=self._version,
            **content,
        )
        chat.screen[message.id] = message
        self.changes.tell("message", chat.id, message)
        return message

    def change(self, message: Message, **content: Any) -> Message:
        """Put a changed message in the place of the old one; values held elsewhere stay."""
        self._version += 1
        changed = replace(message, version=self._version, **content)
        self.chats[message.chat_id].screen[message.id] = changed
        self.changes.tell("edited", message.chat_id, changed)
        return changed

    def remove(self, message: Message) -> None:
        """Take a message off the screen, for both sides."""
        del self.chats[message.chat_id].screen[message.id]
        self.changes.tell("deleted", message.chat_id, message.id)

    def message_json(self, message: Message, *, shallow: bool = False) -> Json:
        """Return the Bot API's Message; `shallow` leaves out the message it answers."""
        chat = self.chats[message.chat_id]
        body: Json = {
            "message_id": message.id,
            "date": int(message.date.timestamp()),
            "chat": chat.as_json(),
            "from": message.sender,
            **message.extra,
        }
        if message.edited is not None:
            body["edit_date"] = int(message.edited.timestamp())
        if message.photo is not None:
            small = self.files.small.get(message.photo.id)
            sizes = [small, message.photo] if small else [message.photo]
            body["photo"] = [_photo_json(size) for size in sizes]
        if message.document is not None:
            body["document"] = _document_json(message.document)
        has_file = message.photo or message.document or "voice" in message.extra
        words, entities = ("caption", "caption_entities") if has_file else ("text", "entities")
        if message.text:
            body[words] = message.text
            if message.entities:
                body[entities] = list(message.entities)
        if message.keyboard:
            body["reply_markup"] = message.markup
        if message.reply_to in chat.screen and not shallow:
            answered = chat.screen[message.reply_to]
            body["reply_to_message"] = self.message_json(answered, shallow=True)
        return body


def _photo_json(photo: StoredFile) -> Json:
    return {
        "file_id": photo.id,
        "file_unique_id": photo.unique_id,
        "width": photo.width,
        "height": photo.height,
        "file_size": photo.size,
    }


def _document_json(document: StoredFile) -> Json:
    return {
        "file_id": document.id,
        "file_unique_id": document.unique_id,
        "file_name": document.name,
        "mime_type": document.mime,
        "file_size": document.size,
    }
