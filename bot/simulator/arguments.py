"""What a bot sent with a call, whichever of the four ways it chose to send it.

Source: Bot API, "Making requests": query string, form, JSON or multipart, GET or POST; in forms,
structured values are JSON inside a string.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from bot.simulator.errors import ApiError, bad_request
from bot.simulator.files import MAX_UPLOAD

_OVERHEAD = 64 * 1024
"""Bytes left for the other fields of a multipart body that carries the largest file."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file inside a multipart body."""

    name: str
    mime: str
    data: bytes = field(repr=False)


@dataclass(slots=True)
class Arguments:
    """The values of one call, read by name and type."""

    values: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return a string, empty when it is missing."""
        value = self.values.get(name)
        return "" if value is None else str(value)

    def integer(self, name: str, default: int = 0) -> int:
        """Return a number, `default` when it is missing or none."""
        try:
            return int(self.values.get(name, default))
        except (TypeError, ValueError):
            return default

    def flag(self, name: str) -> bool:
        """Return a Boolean, false when it is missing."""
        return self.text(name).lower() in ("true", "yes", "1")

    def structure(self, name: str) -> Any:
        """Return an object or a list, None when it is missing."""
        value = self.values.get(name)
        if isinstance(value, str):
            if not value:
                return None
            try:
                return orjson.loads(value)
            except orjson.JSONDecodeError:
                raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object") from None
        return value

    def file(self, name: str) -> Upload | str | None:
        """Return an upload, or the identifier of a file that the server knows."""
        if name in self.files:
            return self.files[name]
        value = self.text(name)
        if value.startswith("attach://"):
            return self.files.get(value.removeprefix("attach://"))
        return value or None

    def for_ledger(self) -> dict[str, Any]:
        """Return the values to write down, files by their names."""
        return self.values | {name: upload.name for name, upload in self.files.items()}


async def read_arguments(request: Request) -> Arguments:
    """Read a request's arguments, or refuse it in Telegram's words."""
    arguments = Arguments(dict(request.query_params))
    if request.method != "POST":
        return arguments
    if int(request.headers.get("content-length", 0)) > MAX_UPLOAD + _OVERHEAD:
        raise ApiError(413, "Request Entity Too Large")
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == "application/json":
        arguments.values |= _json_object(await request.body())
    elif content_type in ("multipart/form-data", "application/x-www-form-urlencoded"):
        await _read_form(request, arguments)
    return arguments


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        values = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError:
        values = None
    if not isinstance(values, dict):
        raise bad_request("can't parse request JSON object")
    return values


async def _read_form(request: Request, arguments: Arguments) -> None:
    try:
        async with request.form() as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    data = await value.read()
                    if len(data) > MAX_UPLOAD:
                        raise ApiError(413, "Request Entity Too Large")
                    mime = value.content_type or "application/octet-stream"
                    arguments.files[name] = Upload(value.filename or name, mime, data)
                else:
                    arguments.values[name] = value
    except HTTPException as problem:
        raise bad_request(f"can't parse request: {problem.detail}") from problem
