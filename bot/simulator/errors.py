"""How the simulated server says no: one exception that carries Telegram's own words."""

from typing import Any


class ApiError(Exception):
    """A refusal as the Bot API puts it: a code, a description and perhaps `parameters`.

    Source of the shape: Bot API, "Making requests" and "ResponseParameters".
    """

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def as_json(self) -> dict[str, Any]:
        """Return the body of the answer."""
        body: dict[str, Any] = {
            "ok": False,
            "error_code": self.code,
            "description": self.description,
        }
        if self.parameters:
            body["parameters"] = self.parameters
        return body


def bad_request(words: str, **parameters: int) -> ApiError:
    """Make a 400, which Telegram opens with "Bad Request: "."""
    return ApiError(400, f"Bad Request: {words}", **parameters)


def forbidden(words: str) -> ApiError:
    """Make a 403, which Telegram opens with "Forbidden: "."""
    return ApiError(403, f"Forbidden: {words}")


def conflict(words: str) -> ApiError:
    """Make a 409, which Telegram opens with "Conflict: "."""
    return ApiError(409, f"Conflict: {words}")


def too_many_requests(retry_after: int) -> ApiError:
    """Make a 429; `retry_after` is in seconds."""
    words = f"Too Many Requests: retry after {retry_after}"
    return ApiError(429, words, retry_after=retry_after)
