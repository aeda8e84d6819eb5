"""Links that count who opens them: `/l/TOKEN` leads on to where the team's link button leads.

Messengers don't tell when a link button is tapped, so it goes through our own server, if that has
an address. A token holds two ids and a signature by a key made of the bot's token: it can't be
guessed, and it names no address, so there is nowhere else to be led to.
"""

import base64
import binascii
import hmac
import re
import struct
from hashlib import sha256
from http import HTTPStatus

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.clock import Clock
from bot.settings import Settings, token_of
from handlers.links import dead_end
from handlers.words import Catalogs
from storage import openings
from storage.database import Storage

log = structlog.get_logger()

# Announcement and member in 4 and 8 bytes.
_IDS, _IDS_BYTES = ">IQ", 12
# Bytes of the signature. With the ids they are 24, which base64 writes in one way only.
_SIGNED = 12
# Those who fetch a page to look at it, by their own names; and fetches ahead of a tap.
_ROBOTS = re.compile(
    r"bot|crawl|spider|preview|facebookexternalhit|whatsapp|curl|wget", re.IGNORECASE
)
_AHEAD = ("purpose", "sec-purpose", "x-purpose", "x-moz")
# Leads on without telling that page, or any cache, where its reader comes from.
_DISCREET = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


class Openings:
    """Makes such links, and reads them. `address` is that of our server."""

    def __init__(self, address: str, secret: str) -> None:
        self._address = address
        self._key = hmac.new(secret.encode(), b"links of announcements", sha256).digest()

    def link(self, announcement_id: int, member_id: int) -> str:
        """The address for this member's button."""
        ids = struct.pack(_IDS, announcement_id, member_id)
        token = base64.urlsafe_b64encode(ids + self._sign(ids)).decode()
        return f"{self._address}/l/{token}"

    def read(self, token: str) -> tuple[int, int] | None:
        """Announcement and member; None: nobody but us makes tokens."""
        try:
            signed = base64.b64decode(token, b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        ids, signature = signed[:_IDS_BYTES], signed[_IDS_BYTES:]
        if len(ids) != _IDS_BYTES or not hmac.compare_digest(signature, self._sign(ids)):
            return None
        announcement_id, member_id = struct.unpack(_IDS, ids)
        return announcement_id, member_id

    def _sign(self, ids: bytes) -> bytes:
        return hmac.new(self._key, ids, sha256).digest()[:_SIGNED]


def openings_of(settings: Settings) -> Openings | None:
    """None where nobody can reach us: links are direct then."""
    if settings.public_url is None:
        return None
    return Openings(settings.public_url, token_of(settings))


def route(known: Openings, storage: Storage, clock: Clock, catalogs: Catalogs) -> Route:
    """Lead on, and count a person's first time."""

    async def answer(request: Request) -> Response:
        found = None
        ids = known.read(request.path_params["token"])
        try:
            if ids is not None:
                async with storage.read() as db:
                    found = await openings.target(db, *ids)
                if found is not None and found[1] and _is_a_person(request):
                    async with storage.begin() as db:
                        await openings.count(db, *ids, clock.now())
        except (SQLAlchemyError, OSError) as error:
            log.warning("an opened link was not counted", error=type(error).__name__)
        if found is None:
            return PlainTextResponse(dead_end(catalogs), HTTPStatus.NOT_FOUND, _DISCREET)
        return RedirectResponse(found[0], HTTPStatus.FOUND, _DISCREET)

    # Starlette answers HEAD wherever it answers GET.
    return Route("/l/{token}", answer, methods=["GET"])


def _is_a_person(request: Request) -> bool:
    """As far as can be known: robots say who they are, or only ask for the head."""
    if request.method != "GET" or any(name in request.headers for name in _AHEAD):
        return False
    return not _ROBOTS.search(request.headers.get("user-agent", ""))
