"""Keyboards under messages: their shape, their limits, and the server's words about both.

Source: Bot API, "InlineKeyboardMarkup", "InlineKeyboardButton", "ReplyKeyboardMarkup".
"""

import re
from typing import Any

from bot.simulator.errors import ApiError, bad_request

MAX_DATA = 64
"""UTF-8 bytes of callback_data. Source: Bot API, "InlineKeyboardButton"."""

MAX_BUTTONS = 100
"""Buttons of one keyboard. Source: core.telegram.org/api/bots/buttons."""

MAX_ROW = 8
"""Buttons of one row. Telegram's apps wrap longer rows; here they are refused, to be noticed."""

_ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)
_STYLES = (None, "danger", "success", "primary")


def parse_markup(markup: Any) -> dict[str, Any] | None:
    """Check a reply_markup and return it without empty fields; None when there is none."""
    if markup is None or markup == {}:
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" in markup:
        rows = _rows(markup, "inline_keyboard")
        rows = [[_inline_button(button) for button in row] for row in rows if row]
        return {"inline_keyboard": rows} if rows else None
    if "keyboard" in markup:
        rows = _rows(markup, "keyboard")
        return markup | {"keyboard": [[_reply_button(button) for button in row] for row in rows]}
    for kind in ("remove_keyboard", "force_reply"):
        if kind in markup:
            if not isinstance(markup[kind], bool):
                raise bad_request(f'field "{kind}" must be of type Boolean')
            return markup
    raise bad_request("object expected as reply markup")


def parse_inline_markup(markup: Any) -> dict[str, Any] | None:
    """Check the reply_markup of an edit, which can only be an inline keyboard."""
    parsed = parse_markup(markup)
    if parsed is not None and "inline_keyboard" not in parsed:
        raise bad_request("inline keyboard expected")
    return parsed


def _rows(markup: dict[str, Any], field: str) -> list[list[Any]]:
    rows = markup[field]
    if not isinstance(rows, list):
        raise bad_request(f'field "{field}" must be of type Array')
    if not all(isinstance(row, list) for row in rows):
        raise bad_request(f'field "{field}" must be an Array of Arrays')
    if sum(map(len, rows)) > MAX_BUTTONS or any(len(row) > MAX_ROW for row in rows):
        raise bad_request("reply markup is too long")
    return rows


def _inline_button(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise _unparsed("inline keyboard", "InlineKeyboardButton must be an Object")
    button: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    _check_label(button, "inline keyboard")
    actions = [name for name in _ACTIONS if button.get(name) not in (None, "", False)]
    if not actions:
        if "disabled" in button:
            return button
        words = "Text buttons are unallowed in the inline keyboard"
        raise _unparsed("inline keyboard", words)
    if len(actions) > 1:
        # The public server takes the first and says nothing; a bot that does so is mistaken.
        raise _unparsed("inline keyboard", "Exactly one of the optional fields must be used")
    if button.get("style") not in _STYLES:
        raise bad_request("BUTTON_STYLE_INVALID")
    if "callback_data" in button:
        _check_data(button["callback_data"])
    if "url" in button:
        _check_url(button["url"])
    return button


def _reply_button(given: Any) -> dict[str, Any]:
    button: Any = {"text": given} if isinstance(given, str) else given
    if not isinstance(button, dict):
        raise _unparsed("keyboard", "KeyboardButton must be an Object")
    _check_label(button, "keyboard")
    return dict(button)


def _check_label(button: dict[str, Any], keyboard: str) -> None:
    if "text" not in button:
        raise _unparsed(keyboard, 'Can\'t find field "text"')
    if not isinstance(button["text"], str):
        raise _unparsed(keyboard, 'Field "text" must be of type String')
    if not button["text"].strip():
        raise bad_request(f"{keyboard} button text must be non-empty")


def _check_data(data: Any) -> None:
    if not isinstance(data, str) or len(data.encode()) > MAX_DATA:
        raise bad_request("BUTTON_DATA_INVALID")


def _check_url(url: Any) -> None:
    """Want a scheme that Telegram opens, and a host with a dot in it."""
    parts = re.fullmatch(r"(?:([a-zA-Z][\w+.-]*)://)?([^/?#\s]*)[^\s]*", str(url))
    scheme, host = ((parts[1] or "http").lower(), parts[2]) if parts else ("http", "")
    if scheme in ("tg", "ton", "tonsite"):
        return
    if scheme not in ("http", "https"):
        raise bad_request(
            f"inline keyboard button URL '{url}' is invalid: Unsupported URL protocol"
        )
    if not host:
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: URL host is empty")
    if "." not in host.strip("."):
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")


def _unparsed(keyboard: str, words: str) -> ApiError:
    return bad_request(f"can't parse {keyboard} button: {words}")
