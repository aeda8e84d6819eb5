"""The methods of the Bot API that dress the bot: name, descriptions, commands, menu.

Each may be set per language (a two-letter ISO 639-1 code; empty for everyone else).
"""

import re
from typing import Any

from bot.simulator.arguments import Arguments
from bot.simulator.errors import ApiError, bad_request
from bot.simulator.profile import scope_of
from bot.simulator.world import Json, World

MAX_NAME = 64
"""Characters. Source: Bot API, "setMyName"."""

MAX_DESCRIPTION = 512
"""Characters. Source: Bot API, "setMyDescription"."""

MAX_SHORT_DESCRIPTION = 120
"""Characters. Source: Bot API, "setMyShortDescription"."""

MAX_COMMANDS = 100
"""Commands in one list. Source: Bot API, "setMyCommands"."""

MAX_COMMAND_DESCRIPTION = 256
"""Characters. Source: Bot API, "BotCommand"."""

_SCOPES = {
    "default",
    "all_private_chats",
    "all_group_chats",
    "all_chat_administrators",
    "chat",
    "chat_administrators",
    "chat_member",
}


def set_my_name(world: World, arguments: Arguments) -> bool:
    """Name the bot in one language; an empty name takes it back."""
    return _set(world, arguments, "name", world.profile.names, MAX_NAME)


def get_my_name(world: World, arguments: Arguments) -> Json:
    """Return the bot's name in one language."""
    return {"name": world.profile.name_for(arguments.text("language_code"))}


def set_my_description(world: World, arguments: Arguments) -> bool:
    """Say what an empty chat shows."""
    return _set(world, arguments, "description", world.profile.descriptions, MAX_DESCRIPTION)


def get_my_description(world: World, arguments: Arguments) -> Json:
    """Return what an empty chat shows in one language."""
    return {"description": world.profile.description_for(arguments.text("language_code"))}


def set_my_short_description(world: World, arguments: Arguments) -> bool:
    """Say what the bot's profile page shows."""
    kept = world.profile.short_descriptions
    return _set(world, arguments, "short_description", kept, MAX_SHORT_DESCRIPTION)


def get_my_short_description(world: World, arguments: Arguments) -> Json:
    """Return what the bot's profile page shows in one language."""
    kept = world.profile.short_descriptions
    language = arguments.text("language_code")
    return {"short_description": kept.get(language) or kept.get("", "")}


def set_my_commands(world: World, arguments: Arguments) -> bool:
    """Set the command menu of one scope and language."""
    commands = arguments.structure("commands")
    if not isinstance(commands, list):
        raise bad_request("can't parse commands JSON object")
    if len(commands) > MAX_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not re.fullmatch(r"/?[a-z0-9_]{1,32}", str(command.get("command", ""))):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description", ""))) <= MAX_COMMAND_DESCRIPTION:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    world.profile.commands[_scope(arguments), _language(arguments)] = [
        {"command": c["command"].lstrip("/"), "description": c["description"]} for c in commands
    ]
    world.changes.tell("profile")
    return True


def get_my_commands(world: World, arguments: Arguments) -> list[Any]:
    """Return the command menu of exactly one scope and language."""
    return world.profile.commands.get((_scope(arguments), _language(arguments)), [])


def delete_my_commands(world: World, arguments: Arguments) -> bool:
    """Take back the command menu of one scope and language."""
    world.profile.commands.pop((_scope(arguments), _language(arguments)), None)
    world.changes.tell("profile")
    return True


def set_chat_menu_button(world: World, arguments: Arguments) -> bool:
    """Set what the button beside the typing box opens; chat 0 stands for all."""
    button = arguments.structure("menu_button") or {"type": "default"}
    if button.get("type") not in ("commands", "web_app", "default"):
        raise bad_request("unsupported menu button type")
    world.profile.menus[arguments.integer("chat_id")] = button
    world.changes.tell("profile")
    return True


def get_chat_menu_button(world: World, arguments: Arguments) -> Json:
    """Return what the button beside the typing box opens."""
    menus = world.profile.menus
    return menus.get(arguments.integer("chat_id")) or menus.get(0) or {"type": "commands"}


def leave_server(_: World, __: Arguments) -> bool:
    """Refuse logOut and close: there is no other server to go to."""
    raise ApiError(400, "Bad Request: method is unavailable on the simulated server")


def _set(
    world: World,
    arguments: Arguments,
    field: str,
    kept: dict[str, str],
    longest: int,
) -> bool:
    value = arguments.text(field)
    if len(value) > longest:
        raise bad_request(f"BOT_{field.upper()}_INVALID")
    kept[_language(arguments)] = value
    world.changes.tell("profile")
    return True


def _language(arguments: Arguments) -> str:
    code = arguments.text("language_code")
    if code and not re.fullmatch(r"[a-z]{2}", code):
        raise bad_request("invalid language_code specified")
    return code


def _scope(arguments: Arguments) -> tuple[str, int, int]:
    scope = arguments.structure("scope")
    if scope is not None and (not isinstance(scope, dict) or scope.get("type") not in _SCOPES):
        raise bad_request("can't parse BotCommandScope: Unsupported type specified")
    return scope_of(scope)


PROFILE_METHODS = {
    "setMyName": set_my_name,
    "getMyName": get_my_name,
    "setMyDescription": set_my_description,
    "getMyDescription": get_my_description,
    "setMyShortDescription": set_my_short_description,
    "getMyShortDescription": get_my_short_description,
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    "setChatMenuButton": set_chat_menu_button,
    "getChatMenuButton": get_chat_menu_button,
    "logOut": leave_server,
    "close": leave_server,
}
