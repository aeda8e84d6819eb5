"""The board of a networking session, for the big screen: tables, first names, the countdown.

A page behind a code that nobody guesses (128 bits); it shows what stands on the wall anyway, asks
again every other second, and turns around for Arabic. Nothing on it can be tapped but the language.
"""

from http import HTTPStatus
from pathlib import Path

import orjson
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bot.clock import Clock
from handlers import networking_board
from handlers.words import Catalogs
from storage import networking_scenes
from storage.database import Storage

_PAGE = Path(__file__).parent / "board_page"
# What the page may load: itself. It has no secrets, but a wall should show nobody else's words.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def board(storage: Storage, catalogs: Catalogs, clock: Clock) -> list[BaseRoute]:
    """The page, and what it asks. An unknown code is not found, whatever its shape."""

    async def page(request: Request) -> Response:
        async with storage.read() as db:
            scene = await networking_scenes.behind(db, request.path_params["code"])
        if scene is None:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        return FileResponse(_PAGE / "index.html", headers=_HEADERS)

    async def now(request: Request) -> Response:
        words = catalogs.get(request.query_params.get("lang", "")) or catalogs["fr"]
        try:
            async with storage.read() as db:
                scene = await networking_scenes.behind(db, request.path_params["code"])
                if scene is None:
                    return Response(status_code=HTTPStatus.NOT_FOUND)
                at = (scene.session.id, scene.networking.drawn)
                seated = (await networking_scenes.tables(db, [at])).get(at, [])
        except (SQLAlchemyError, OSError):
            # The page keeps what it shows, and asks again.
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)
        told = networking_board.told(words, scene, seated) | {"now": clock.now().timestamp()}
        return Response(orjson.dumps(told), media_type="application/json", headers=_HEADERS)

    return [
        Mount("/board/page", StaticFiles(directory=_PAGE)),
        Route("/board/{code}", page),
        Route("/board/{code}/now", now),
    ]
