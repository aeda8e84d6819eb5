"""What is logged, and above all what is not: no tokens, no passwords, no texts and no names.

Our own events (structlog) and those of the libraries (logging) take one way out, and the last
thing on it is `scrub`, which sees the finished line, tracebacks included.
"""

import hashlib
import logging
import re
import secrets
from typing import Any, TextIO

import structlog

# What looks like a secret, and what is written in its place.
_SECRETS = [
    # A bot token by its looks (Bot API, "Authorizing your bot"), also percent-encoded.
    (re.compile(r"\d{6,}(?::|%3A)[A-Za-z0-9_-]{30,}", re.IGNORECASE), "<token>"),
    # A token of any looks in a Bot API address: /bot<token>/method, /file/bot<token>/path.
    (re.compile(r"/bot\d+(?::|%3A)[^/\s\"']+", re.IGNORECASE), "/bot<token>"),
    # user:password@ in a URL; up to the last @, since people forget to encode the one in theirs.
    (re.compile(r"://([^\s/:@\"']*):[^\s\"']*@"), r"://\1:<password>@"),
    (re.compile(r"([?&]password=)[^&\s\"']+", re.IGNORECASE), r"\1<password>"),
    # pydantic repeats the value it refuses, which may be somebody's message.
    (re.compile(r"input_value=.*?(?=, input_type=)", re.DOTALL), "input_value=<hidden>"),
]

# Libraries whose lines below these levels carry personal data or whole addresses, or are many.
_QUIET = {
    "aiogram": logging.INFO,
    "aiogram.event": logging.WARNING,  # every update
    "aiohttp.access": logging.WARNING,
    "aiosqlite": logging.INFO,  # statements with their values
    "alembic": logging.WARNING,
    "apscheduler": logging.WARNING,  # every tick
    "asyncio": logging.INFO,
    "asyncpg": logging.INFO,
    "httpcore": logging.WARNING,
    "httpx": logging.WARNING,  # every address, token included
    "matplotlib": logging.INFO,
    "sqlalchemy": logging.WARNING,  # statements with their values
    "telegram": logging.INFO,  # whole requests and answers
    "uvicorn.access": logging.WARNING,
}

# Those that bring handlers of their own, which would bypass `scrub`.
_WITH_HANDLERS = ("uvicorn", "uvicorn.access", "uvicorn.error", "aiohttp.access")

_PSEUDONYM_KEY = secrets.token_bytes(32)


def pseudonym(channel: str, address: str) -> str:
    """A stand-in for a person in logs: the same within one process, meaningless outside it."""
    named = f"{channel}:{address}".encode()
    return hashlib.blake2b(named, key=_PSEUDONYM_KEY, digest_size=5).hexdigest()


def scrub(line: str) -> str:
    """The line without anything that looks like a token or a database password."""
    for looks_like, instead in _SECRETS:
        line = looks_like.sub(instead, line)
    return line


def start_logging(level: str, *, stream: TextIO) -> None:
    """Log to `stream` from `level` up: for eyes if it is a terminal, else one JSON a line."""
    if stream.isatty():
        # Plain tracebacks: richer ones print the values of variables, and those are people's.
        plain = structlog.dev.plain_traceback
        render: list[Any] = [structlog.dev.ConsoleRenderer(exception_formatter=plain)]
    else:
        render = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    finish = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render, _scrub_last]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=finish)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, root.level))
    for name in _WITH_HANDLERS:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True


def _scrub_last(_logger: Any, _method: str, line: str) -> str:
    return scrub(line)
