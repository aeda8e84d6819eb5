"""The people of the simulated Telegram: what they type, tap, send, forward, block.

Everything here is immediate: it changes the world and queues an update for the bot. To see what
the bot makes of it, await `Simulator.settled()` or `Person.hears()`.
"""

from collections.abc import Callable, Iterable
from urllib.parse import parse_qs, urlsplit

from bot.simulator.inline import Asks
from bot.simulator.rules import found_entities
from bot.simulator.sends import Sends
from bot.simulator.world import Button, Chat, Json, Message, Tap, Toast, World


class Person(Asks, Sends):
    """Somebody with a phone. Make one with `Simulator.person`.

    `zone` is the IANA zone their phone is set to, for the page. Methods that act return the id
    of the update they caused.
    """

    def __init__(self, world: World, chat: Chat, user: Json, zone: str | None) -> None:
        self._world = world
        self._heard = 0
        self.chat = chat
        self.user = user
        self.zone = zone

    def __repr__(self) -> str:
        return f"<Person {self.name} {self.id}>"

    @property
    def id(self) -> int:
        """The user id, which is the private chat's id too."""
        return int(self.user["id"])

    @property
    def language_code(self) -> str:
        """The language of the app, as updates tell it."""
        return str(self.user.get("language_code", ""))

    @property
    def toasts(self) -> list[Toast]:
        """What answers to taps said, oldest first: (text, show_alert)."""
        return self.chat.toasts

    @property
    def deactivated(self) -> bool:
        """Whether the account was deleted; may be set."""
        return self.chat.deactivated

    @deactivated.setter
    def deactivated(self, value: bool) -> None:
        self.chat.deactivated = value
        self._world.changes.tell("people", self.id)

    # What they hear

    def news(self) -> list[Message]:
        """Return what the bot said or changed since last asked, in that order."""
        fresh = [m for m in self.chat.messages if m.outgoing and m.version > self._heard]
        fresh.sort(key=lambda message: message.version)
        if fresh:
            self._heard = fresh[-1].version
        return fresh

    async def hears(
        self,
        wanted: str | Callable[[Message], bool] = "",
        timeout: float = 10,  # noqa: ASYNC109 - a test says how patient it is
    ) -> Message:
        """Wait for the next thing the bot says or changes here, and return it.

        `wanted` is a part of its text or a condition; what does not fit is skipped. A message
        heard once is not heard again unless it changes. `timeout` is in seconds.
        """
        fits = wanted if callable(wanted) else lambda message: wanted in message.text
        found: list[Message] = []

        def look() -> bool:
            fresh = sorted(self.chat.messages, key=lambda message: message.version)
            found.extend(m for m in fresh if m.outgoing and m.version > self._heard and fits(m))
            return bool(found)

        if not await self._world.changes.until(look, timeout):
            what = "something new" if callable(wanted) or not wanted else repr(wanted)
            raise TimeoutError(f"{self.name} did not hear {what}. On the screen:\n{self.screen()}")
        self._heard = found[0].version
        return found[0]

    def screen(self) -> str:
        """Draw the chat in plain text, for error messages."""
        lines = []
        for message in self.chat.messages:
            author = "bot" if message.outgoing else message.sender["first_name"]
            lines.append(f"  {message.id} {author}: {message.text!r}")
            lines += [f"      [{'] ['.join(b.text for b in row)}]" for row in message.keyboard]
        return "\n".join(lines) or "  (nothing)"

    # What they say

    def says(self, text: str, group: "Group | None" = None) -> int:
        """Type a message; commands in it are found as Telegram finds them."""
        chat = group.chat if group else self.chat
        return self._send(chat, text=text, entities=found_entities(text))

    def opens(self, payload: str = "") -> int:
        """Open the bot by a deep link: sends "/start payload"."""
        return self.says(f"/start {payload}".rstrip())

    def edits(self, message: Message, text: str) -> int:
        """Change one's own message."""
        current = self._world.chats[message.chat_id].screen[message.id]
        changed = self._world.change(
            current,
            text=text,
            entities=found_entities(text),
            edited=self._world.now(),
        )
        body = self._world.message_json(changed)
        return self._world.mailbox.post("edited_message", body, message.chat_id)

    # What they tap

    def taps(self, label: str, message: Message | None = None) -> int:
        """Tap the newest button with exactly this label, or the one under `message`.

        A button that links to the bot itself opens it, as in Telegram.
        """
        places = [message] if message else reversed(self.chat.messages)
        for place in places:
            for button in (button for row in place.keyboard for button in row):
                if button.text == label:
                    return self._press(button, place)
        seen = message.labels if message else [x for m in self.chat.messages for x in m.labels]
        listed = "\n".join(f"  [{label}]" for label in seen) or "  (none)"
        raise LookupError(f"{self.name} sees no button {label!r}. Buttons in sight:\n{listed}")

    def taps_data(self, data: str, message: Message | None = None) -> int:
        """Send callback data that no button need hold, from the newest message by default."""
        if message is None:
            message = next((m for m in reversed(self.chat.messages) if m.outgoing), None)
        if message is None:
            raise LookupError(f"{self.name} has no message of the bot to tap on")
        return self._query(data, message)[1]

    def starts_tap(self, data: str, message: Message) -> str:
        """Tap, and return the id of the query: the page waits for its answer."""
        return self._query(data, message)[0]

    # What they decide

    def blocks(self) -> int:
        """Block the bot."""
        return self._my_chat_member(blocked=True)

    def unblocks(self) -> int:
        """Let the bot speak again."""
        return self._my_chat_member(blocked=False)

    def _press(self, button: Button, message: Message) -> int:
        if button.disabled:
            raise LookupError(f"the button {button.text!r} is disabled")
        if button.data is not None:
            return self._query(button.data, message)[1]
        payload = start_payload(button.url or "", self._world.bot["username"])
        if payload is None:
            raise LookupError(f"the button {button.text!r} opens {button.url}")
        return self.opens(payload)

    def _query(self, data: str, message: Message) -> tuple[str, int]:
        self._check_free()
        world = self._world
        # The bot is told of the message as it is now; a deleted one as it was.
        chat = world.chats[message.chat_id]
        message = chat.screen.get(message.id, message)
        tap = Tap(f"{4_000_000_000 + len(world.taps)}", chat.id, message.id, self.id)
        world.taps[tap.id] = tap
        body = {"id": tap.id, "from": self.user, "chat_instance": str(chat.id * 7919), "data": data}
        if inline_id := world.inline.id_of(chat.id, message.id):
            body["inline_message_id"] = inline_id
        else:
            body["message"] = world.message_json(message)
        return tap.id, world.mailbox.post("callback_query", body, chat.id)

    def _my_chat_member(self, *, blocked: bool) -> int:
        self.chat.blocked = blocked
        self._world.changes.tell("people", self.id)
        bot = self._world.bot
        standing = {"status": "member", "user": bot}
        gone = {"status": "kicked", "user": bot, "until_date": 0}
        body = {
            "chat": self.chat.as_json(),
            "from": self.user,
            "date": int(self._world.now().timestamp()),
            "old_chat_member": standing if blocked else gone,
            "new_chat_member": gone if blocked else standing,
        }
        return self._world.mailbox.post("my_chat_member", body, self.id)


class Group:
    """A group with the bot in it. Make one with `Simulator.group`."""

    def __init__(self, world: World, chat: Chat) -> None:
        self._world = world
        self.chat = chat

    @property
    def id(self) -> int:
        """The chat id: negative, and another one after `migrate_to_supergroup`."""
        return self.chat.id

    def migrate_to_supergroup(self) -> int:
        """Become a supergroup, as Telegram makes of a group that grows; return the new id."""
        world, old = self._world, self.chat
        new = Chat(old.id - 1_000_000_000_000, "supergroup", old.about, members=old.members)
        world.chats[new.id] = new
        self.chat = new
        for chat, extra in (
            (old, {"migrate_to_chat_id": new.id}),
            (new, {"migrate_from_chat_id": old.id}),
        ):
            sender = world.users[old.members[0]] if old.members else world.bot
            message = world.put(chat, outgoing=False, sender=sender, extra=extra)
            world.mailbox.post("message", world.message_json(message), chat.id)
        old.migrated_to = new.id
        return new.id

    def removes_bot(self, by: Person | None = None) -> None:
        """Throw the bot out; the messenger tells who did it, if somebody did."""
        self.chat.left = True
        if by is not None:
            self._standing(by, {"status": "left"})

    def makes_bot_administrator(self, by: Person, *, may_post: bool = True) -> int:
        """Make the bot an administrator; in a channel with or without the right to post."""
        self.chat.left = False
        rights: Json = dict.fromkeys(_RIGHTS, True) | {"status": "administrator"}
        if self.chat.kind == "channel":
            rights["can_post_messages"] = may_post
        return self._standing(by, rights)

    def _standing(self, by: Person, now: Json) -> int:
        bot = self._world.bot
        body = {
            "chat": self.chat.as_json(),
            "from": by.user,
            "date": int(self._world.now().timestamp()),
            "old_chat_member": {"status": "member", "user": bot},
            "new_chat_member": now | {"user": bot},
        }
        return self._world.mailbox.post("my_chat_member", body, self.id)


# Bot API, ChatMemberAdministrator: what is always told.
_RIGHTS = (
    "can_be_edited",
    "is_anonymous",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_send_welcome_messages",
)


def start_payload(url: str, username: str) -> str | None:
    """Return what follows ?start= in a deep link to this bot; None if it is another link."""
    parts = urlsplit(url)
    if parts.scheme == "tg" and parts.netloc == "resolve":
        query = parse_qs(parts.query)
        ours = query.get("domain", [""])[0].lower() == username.lower()
    else:
        query = parse_qs(parts.query)
        ours = parts.netloc == "t.me" and parts.path.strip("/").lower() == username.lower()
    return query.get("start", [""])[0] if ours else None


def member_ids(members: Iterable[Person]) -> list[int]:
    """Return the ids of some people."""
    return [person.id for person in members]
