import asyncio
import io
import json
import logging

import pytest
import structlog

from bot.logs import pseudonym, scrub, start_logging

pytestmark = pytest.mark.usefixtures("logging_as_before")

TOKEN = "123456789:AAF-simulated_and_opens_nothing_at_all"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def lines():
    """Log in JSON to a stream; called, it returns the lines so far."""
    stream = io.StringIO()
    start_logging("DEBUG", stream=stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_our_events_and_those_of_libraries_look_alike(lines):
    structlog.get_logger("bot.delivery").info("started", row=7)
    logging.getLogger("aiogram.dispatcher").warning("Sleep for %f seconds", 1.5)
    ours, theirs = lines()
    assert ours.pop("timestamp").endswith("Z")
    assert theirs.pop("timestamp").endswith("Z")
    assert ours == {"event": "started", "row": 7, "level": "info", "logger": "bot.delivery"}
    assert theirs == {
        "event": "Sleep for 1.500000 seconds",
        "level": "warning",
        "logger": "aiogram.dispatcher",
    }


async def fail(trouble):
    raise trouble


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_a_traceback_holds_no_token_and_no_password(stream):
    out = stream()
    start_logging("INFO", stream=out)
    try:
        int(f"https://api.telegram.org/bot{TOKEN}/sendMessage")
    except ValueError as error:
        trouble = RuntimeError("postgresql+asyncpg://jisr:p@ss/w0rd@db:5432/jisr")
        trouble.__cause__ = error
    try:
        asyncio.run(fail(trouble))
    except RuntimeError:
        structlog.get_logger("bot").exception("ours", token=TOKEN, nested={"url": [f"x{TOKEN}"]})
        logging.getLogger("asyncio").exception("theirs: %s", {"token": TOKEN})
    told = out.getvalue()
    assert told.count("ValueError: ") == 2
    assert told.count("/bot<token>/sendMessage") == 2
    assert told.count("postgresql+asyncpg://jisr:<password>@db:5432/jisr") == 2
    assert "simulated" not in told
    assert "w0rd" not in told


@pytest.mark.parametrize(
    ("line", "scrubbed"),
    [
        (f"token={TOKEN}", "token=<token>"),
        (f"ExtBot[token={TOKEN}]", "ExtBot[token=<token>]"),
        ("/bot42:TEST/getMe", "/bot<token>/getMe"),
        (
            "http://localhost:8081/file/bot42:T/photos/1.jpg",
            "http://localhost:8081/file/bot<token>/photos/1.jpg",
        ),
        ("bot42%3ATEST and /bot42%3ATEST/getMe", "bot42%3ATEST and /bot<token>/getMe"),
        (
            "postgresql://jisr@db/jisr?password=s3cret&ssl=on",
            "postgresql://jisr@db/jisr?password=<password>&ssl=on",
        ),
        (
            "[type=int, input_value='ana Amal', input_type=str]",
            "[type=int, input_value=<hidden>, input_type=str]",
        ),
        (
            "https://jisr.example:8443/webhook at 12:30",
            "https://jisr.example:8443/webhook at 12:30",
        ),
        ("update 123456789 at 2026-11-22T00:00:00", "update 123456789 at 2026-11-22T00:00:00"),
    ],
)
def test_scrub(line, scrubbed):
    assert scrub(line) == scrubbed


def test_lines_that_carry_people_are_not_written_even_when_debugging(lines):
    logging.getLogger("httpx").info("HTTP Request: POST https://...")
    logging.getLogger("aiogram.event").info("Update id=1 is handled")
    for name in ["aiogram", "telegram.ext.ExtBot", "aiosqlite", "asyncio", "httpcore.http11"]:
        logging.getLogger(name).debug("the words of somebody")
    logging.getLogger("sqlalchemy.engine.Engine").info("INSERT INTO member ...")
    structlog.get_logger("bot").debug("ours is")
    assert [line["event"] for line in lines()] == ["ours is"]


def test_less_than_the_level_is_not_written():
    stream = io.StringIO()
    start_logging("ERROR", stream=stream)
    structlog.get_logger("bot").warning("not this")
    logging.getLogger("aiogram").warning("nor this")
    structlog.get_logger("bot").error("this")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["this"]


def test_libraries_with_handlers_of_their_own_lose_them():
    uvicorn = logging.getLogger("uvicorn.error")
    uvicorn.addHandler(logging.StreamHandler(io.StringIO()))
    start_logging("INFO", stream=io.StringIO())
    assert uvicorn.handlers == []
    assert uvicorn.propagate


def test_a_pseudonym_tells_people_apart_and_nothing_more():
    amal = pseudonym("telegram", "700000001")
    assert amal == pseudonym("telegram", "700000001")
    assert amal != pseudonym("telegram", "700000002")
    assert amal != pseudonym("whatsapp", "700000001")
    assert len(amal) == 10
