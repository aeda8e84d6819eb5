"""The page's own routes: what the phones show, what hands do to them, and the time above them.

The page asks for a state once, then follows `/stage/events` (Server-Sent Events). Everything it
does is done by a `Person`, exactly as a test would do it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote
from zoneinfo import ZoneInfo

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bot.simulator.files import MAX_UPLOAD, StoredFile, picture_size
from bot.simulator.people import Person
from bot.simulator.world import Json, Message, World

HOME_ZONE = "Africa/Casablanca"
"""The second clock of the page."""

MOST_SHOWN = 200
"""Messages of a chat that the page loads."""

HEARTBEAT = 1.0
"""Real seconds between two signs of life on the event stream."""

_PAGE = Path(__file__).parent / "page"
_BACKLOG = 2000


class Theatre(Protocol):
    """What the demo lets the page do with time. All times are aware and in UTC."""

    def now(self) -> datetime:
        """Return the simulated time."""
        ...

    @property
    def speed(self) -> float:
        """Simulated seconds in one real second; 0 when time stands still."""
        ...

    async def advance(self, seconds: float) -> None:
        """Let so many simulated seconds pass."""
        ...

    async def to_next_reminder(self) -> str | None:
        """Go to the next reminder; return None, or in a few words why there is none."""
        ...

    def set_speed(self, factor: float) -> None:
        """Choose how many simulated seconds pass in a real one."""
        ...


class Stage:
    """The page of phones over one world."""

    def __init__(
        self,
        world: World,
        people: dict[int, Person],
        theatre: Theatre | None,
        phones: Iterable[Person],
    ) -> None:
        self.world = world
        self.people = people
        self.theatre = theatre
        self.phones = list(phones)

    def routes(self) -> list[BaseRoute]:
        """Return the page and its routes; the page comes last, as it takes every other path."""
        return [
            Route("/stage/state", self.state),
            Route("/stage/events", self.events),
            Route("/stage/files/{file_id}", self.file),
            Route("/stage/chats/{person:int}", self._for_person(self.chat)),
            Route("/stage/chats/{person:int}/{deed}", self._for_person(self.act), methods=["POST"]),
            Route("/stage/time/{deed}", self.time, methods=["POST"]),
            Mount("/", StaticFiles(directory=_PAGE, html=True)),
        ]

    # What the page sees

    async def state(self, _: Request) -> Response:
        """Tell what there is: the bot, the people, who has a phone, what time it is."""
        phones = self.phones or list(self.people.values())[:3]
        return _json(
            {
                "username": self.world.bot["username"],
                "people": [self._person(person) for person in self.people.values()],
                "phones": [person.id for person in phones],
                "time": self._time(),
            },
        )

    async def chat(self, person: Person, _: Request) -> Response:
        """Tell what stands on one phone."""
        profile, language = self.world.profile, person.language_code
        return _json(
            {
                "bot": profile.name_for(language),
                "about": profile.description_for(language),
                "commands": profile.commands_for(person.id, language),
                "keyboard": (person.chat.reply_keyboard or {}).get("keyboard", []),
                "messages": [
                    self._message(message, person) for message in person.chat.messages[-MOST_SHOWN:]
                ],
            },
        )

    async def file(self, request: Request) -> Response:
        """Send a picture to be shown, or any other file to be saved, never to be run."""
        stored = self.world.files.by_id.get(request.path_params["file_id"])
        if stored is None:
            return Response(status_code=404)
        shown = picture_size(stored.data) is not None
        disposition = "inline" if shown else "attachment"
        headers = {"Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(stored.name)}"}
        mime = (
            stored.mime
            if shown and stored.mime.startswith("image/")
            else "application/octet-stream"
        )
        return Response(stored.data, headers=headers, media_type=mime)

    async def events(self, _: Request) -> Response:
        """Stream what happens, for as long as the page listens."""
        headers = {"Cache-Control": "no-store"}
        return StreamingResponse(self._stream(), headers=headers, media_type="text/event-stream")

    async def _stream(self) -> AsyncIterator[bytes]:
        queue: asyncio.Queue[Json | None] = asyncio.Queue(_BACKLOG)

        def listen(kind: str, chat_id: int | None, about: Any) -> None:
            event = self._event(kind, chat_id, about)
            if event is not None and not queue.full():
                # A page that cannot follow is sent away; it comes back and loads all anew.
                last_place = queue.qsize() == _BACKLOG - 1
                queue.put_nowait(None if last_place or kind == "closing" else event)

        self.world.changes.listeners.append(listen)
        try:
            # The page loads what there is once it hears this: nothing falls in between.
            yield b'retry: 1000\ndata: {"kind":"hello"}\n\n'
            while not self.world.changes.closing:
                try:
                    async with asyncio.timeout(HEARTBEAT):
                        event = await queue.get()
                except TimeoutError:
                    event = {"kind": "time", "time": self._time()}
                if event is None:
                    return
                yield b"data: " + orjson.dumps(event) + b"\n\n"
        finally:
            self.world.changes.listeners.remove(listen)

    def _event(self, kind: str, chat_id: int | None, about: Any) -> Json | None:
        """Say one change as the page wants it; None for what does not show."""
        person = self.people.get(chat_id or 0)
        event: Json = {"kind": kind, "chat": chat_id}
        match kind:
            case "closing" | "people" | "profile":
                return event
            case "time":
                return event | {"time": self._time()}
            case "answered":
                return {**event, **about, "chat": about["user_id"]}
            case "message" | "edited" if person is not None:
                return event | {"message": self._message(about, person)}
            case "deleted" | "typing" if person is not None:
                return event | {"about": about}
        return None

    # What hands do

    async def act(self, person: Person, request: Request) -> Response:
        """Say, tap, attach or share something on somebody's phone."""
        deed = request.path_params["deed"]
        try:
            if deed == "attaches":
                return await self._attach(person, request)
            given = orjson.loads(await request.body())
            if deed == "says":
                person.says(given["text"])
            elif deed == "forwards":
                person.forwards_message(person.chat.screen[given["message"]])
            elif deed == "taps":
                return _json({"query": self._tap(person, given)})
            elif deed == "shares":
                (person.shares_contact if given["what"] == "contact" else person.shares_location)()
            else:
                return Response(status_code=404)
        except (RuntimeError, LookupError, ValueError, TypeError) as problem:
            return _json({"problem": str(problem)}, 400)
        return _json({})

    def _tap(self, person: Person, given: Json) -> str:
        message = person.chat.screen[given["message"]]
        return person.starts_tap(given["data"], message)

    async def _attach(self, person: Person, request: Request) -> Response:
        """Send the body as a picture if it is one, as a document if not; with plain words below."""
        if int(request.headers.get("content-length", 0)) > MAX_UPLOAD:
            return _json({"problem": "too large"}, 413)
        data = await request.body()
        name = request.query_params.get("name", "file")
        caption = escape(request.query_params.get("caption", ""))
        mime = request.headers.get("content-type", "application/octet-stream")
        if mime.startswith("image/") and picture_size(data):
            person.sends_photo(data, caption)
        else:
            person.sends_document(name, data, mime, caption)
        return _json({})

    async def time(self, request: Request) -> Response:
        """Move the simulated time."""
        if self.theatre is None:
            return Response(status_code=404)
        given = orjson.loads(await request.body() or b"{}")
        said = None
        match request.path_params["deed"]:
            case "advance":
                await self.theatre.advance(float(given["seconds"]))
            case "reminder":
                said = await self.theatre.to_next_reminder()
            case "speed":
                self.theatre.set_speed(float(given["factor"]))
            case _:
                return Response(status_code=404)
        self.world.changes.tell("time")
        return _json({"said": said})

    # How things look in the page's JSON

    def _for_person(
        self,
        route: Callable[[Person, Request], Awaitable[Response]],
    ) -> Callable[[Request], Awaitable[Response]]:
        """Find the person whom a path names."""

        async def found(request: Request) -> Response:
            person = self.people.get(request.path_params["person"])
            return Response(status_code=404) if person is None else await route(person, request)

        return found

    def _time(self) -> Json | None:
        if self.theatre is None:
            return None
        now = self.theatre.now()
        offset = _minutes(HOME_ZONE, now)
        return {"now": now.timestamp(), "speed": self.theatre.speed, "home": offset}

    def _person(self, person: Person) -> Json:
        messages = person.chat.messages
        return {
            "id": person.id,
            "name": person.name,
            "language": person.language_code,
            "zone": person.zone,
            "last": _preview(messages[-1]) if messages else "",
        }

    def _message(self, message: Message, reader: Person) -> Json:
        """Return a message as `reader` sees it: their own to one side, times in their zone."""
        body: Json = {
            "id": message.id,
            "mine": not message.outgoing,
            "text": message.text,
            "preview": _preview(message),
            "entities": [self._entity(entity, reader) for entity in message.entities],
            "date": message.date.timestamp(),
            "offset": _minutes(reader.zone, message.date),
            "edited": message.edited is not None,
            "keyboard": (message.markup or {}).get("inline_keyboard", []),
            "reaction": message.reaction,
            "extra": message.extra,
        }
        if message.document:
            body["document"] = _file(message.document)
        if message.photo:
            photo = message.photo
            body["photo"] = _file(photo) | {"width": photo.width, "height": photo.height}
        answered = self.world.chats[message.chat_id].screen.get(message.reply_to or 0)
        if answered:
            body["reply"] = _preview(answered)
        return body

    def _entity(self, entity: Json, reader: Person) -> Json:
        if entity["type"] != "date_time":
            return entity
        moment = datetime.fromtimestamp(entity["unix_time"], self.world.now().tzinfo)
        return entity | {"zone": reader.zone, "zone_offset": _minutes(reader.zone, moment)}


def _minutes(zone: str | None, moment: datetime) -> int | None:
    """Return a zone's distance from UTC in minutes; None leaves it to the browser."""
    if zone is None:
        return None
    offset = moment.astimezone(ZoneInfo(zone)).utcoffset()
    return round(offset.total_seconds() / 60) if offset is not None else 0


def _preview(message: Message) -> str:
    """Return a message in a few words."""
    sticker = message.extra.get("sticker", {}).get("emoji", "")
    name = message.document.name if message.document else ""
    return (message.text or name or sticker or "…").partition("\n")[0][:80]


def _file(stored: StoredFile) -> Json:
    return {"name": stored.name, "size": stored.size, "url": f"/stage/files/{stored.id}"}


def _json(body: Any, status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(body), status, headers, "application/json")
