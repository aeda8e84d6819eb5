"""What people of the simulated Telegram attach, share and forward."""

from collections.abc import Sequence
from typing import Any

from bot.simulator.files import StoredFile
from bot.simulator.markup import parse_html, units
from bot.simulator.rules import MAX_CAPTION, found_entities
from bot.simulator.world import Chat, Json, Message, World


class Sends:
    """The part of a person that sends more than plain words; see `people.Person`."""

    _world: World
    chat: Chat
    user: Json

    @property
    def name(self) -> str:
        """First and last name."""
        return " ".join(filter(None, (self.user["first_name"], self.user.get("last_name"))))

    def writes(self, source: str) -> int:
        """Type a message with formatting, given as Telegram's HTML."""
        text, entities = parse_html(source)
        return self._send(self.chat, text=text, entities=found_entities(text, entities))

    def forwards(self, text: str, from_name: str) -> int:
        """Forward what somebody else wrote, who hides their account."""
        origin = {
            "type": "hidden_user",
            "date": int(self._world.now().timestamp()),
            "sender_user_name": from_name,
        }
        entities = found_entities(text)
        return self._send(self.chat, text=text, entities=entities, extra={"forward_origin": origin})

    def forwards_message(self, message: Message) -> int:
        """Forward a message with its formatting and file, as Telegram does: without its buttons.

        Who wrote it is told, and of what was forwarded before, who wrote it first.
        """
        origin = message.extra.get("forward_origin") or {
            "type": "user",
            "date": int(message.date.timestamp()),
            "sender_user": message.sender,
        }
        kept = {"text": message.text, "entities": message.entities}
        files = {"photo": message.photo, "document": message.document}
        return self._send(self.chat, **kept, **files, extra={"forward_origin": origin})

    def sends_document(
        self,
        name: str,
        data: bytes,
        mime: str = "application/octet-stream",
        caption: str = "",
    ) -> int:
        """Send a file; the caption may have formatting, as Telegram's HTML."""
        stored = self._world.files.keep("document", name, mime, data)
        return self._send(self.chat, document=stored, **_caption(caption))

    def sends_photo(self, data: bytes, caption: str = "") -> int:
        """Send a picture (PNG, JPEG or GIF bytes); the caption may have formatting."""
        stored = self._world.files.keep_photo("photo.jpg", "image/jpeg", data)
        return self._send(self.chat, photo=stored, **_caption(caption))

    def sends_album(self, pictures: Sequence[bytes], caption: str = "") -> list[int]:
        """Send several pictures at once: a message each, the caption with the first."""
        album = f"{13_000_000_000_000_000 + self._world.mailbox.next_id}"
        updates: list[int] = []
        for data in pictures:
            stored = self._world.files.keep_photo("photo.jpg", "image/jpeg", data)
            content = _caption("" if updates else caption)
            extra = {"media_group_id": album}
            updates.append(self._send(self.chat, photo=stored, **content, extra=extra))
        return updates

    def sends_voice(self, seconds: int = 3) -> int:
        """Send a voice message of so many seconds."""
        stored = self._world.files.keep("voice", "voice.oga", "audio/ogg", b"OggS")
        return self._send(self.chat, extra={"voice": _file(stored) | {"duration": seconds}})

    def sends_sticker(self, emoji: str = "👍") -> int:
        """Send a sticker."""
        stored = self._world.files.keep("sticker", "sticker.webp", "image/webp", b"RIFF")
        sticker = _file(stored) | {
            "type": "regular",
            "width": 512,
            "height": 512,
            "is_animated": False,
            "is_video": False,
            "emoji": emoji,
        }
        del sticker["mime_type"]
        return self._send(self.chat, extra={"sticker": sticker})

    def shares_contact(self, phone_number: str = "+212600000000") -> int:
        """Share one's own contact."""
        contact = {
            "phone_number": phone_number,
            "first_name": self.user["first_name"],
            "user_id": self.user["id"],
        }
        return self._send(self.chat, extra={"contact": contact})

    def shares_location(self, latitude: float = 34.0209, longitude: float = -6.8416) -> int:
        """Share a place, in degrees; Rabat if none is given."""
        location = {"latitude": latitude, "longitude": longitude}
        return self._send(self.chat, extra={"location": location})

    def _send(self, chat: Chat, **content: Any) -> int:
        self._check_free()
        self.chat.started = True
        message = self._world.put(chat, outgoing=False, sender=self.user, **content)
        body = self._world.message_json(message)
        return self._world.mailbox.post("message", body, chat.id)

    def _check_free(self) -> None:
        if self.chat.blocked or self.chat.deactivated:
            state = "is deactivated" if self.chat.deactivated else "has blocked the bot"
            raise RuntimeError(f"{self.name} {state} and cannot act")


def _caption(source: str) -> Json:
    """A caption's text and entities, within Telegram's limit."""
    text, entities = parse_html(source)
    if units(text) > MAX_CAPTION:
        raise ValueError(f"a caption has at most {MAX_CAPTION} characters")
    return {"text": text, "entities": found_entities(text, entities)}


def _file(stored: StoredFile) -> Json:
    return {
        "file_id": stored.id,
        "file_unique_id": stored.unique_id,
        "mime_type": stored.mime,
        "file_size": stored.size,
    }
