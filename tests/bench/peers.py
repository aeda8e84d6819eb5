"""What one would use instead, each in a process of its own, started as its own pages show.

Run as a script, with nothing of ours imported:

    python peers.py WHAT URL [--tuned]

`--tuned` gives it the event loop and the garbage collector's settings that Jisr runs with. Whoever
listens stops when its input ends; then one line tells the seconds, and those of processor time.
"""

import asyncio
import gc
import importlib
import json
import sys
import threading
import time
from collections.abc import Awaitable, Callable

TOKEN = "4242424242:measured-and-opens-nothing"
LETTERS = 12_000
TEXT = (
    "<b>Consular days in Lyon</b>\n\nOn 4 and 5 July, without appointment: passports, civil status, "
    "certificates. Bring your identity card and two photographs.\n\n<i>To stop receiving these: "
    "/stop</i>"
)

# What each does, until it has done all or its input ends.
Peer = Callable[[str], Awaitable[None]]


async def told_to_stop() -> None:
    """Wait, in a daemon's thread, for the input to end."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()

    def read() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=read, daemon=True).start()
    await over.wait()


async def aiogram_echo(url: str) -> None:
    """What aiogram does when it has nothing to remember."""
    from aiogram import Bot, Dispatcher
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer
    from aiogram.types import Message

    bot = Bot(TOKEN, AiohttpSession(api=TelegramAPIServer.from_base(url)))
    dispatcher = Dispatcher()

    @dispatcher.message()
    async def echo(message: Message) -> None:
        await message.answer(message.text or "")

    polling = asyncio.create_task(
        dispatcher.start_polling(bot, handle_signals=False, close_bot_session=True)
    )
    await told_to_stop()
    await dispatcher.stop_polling()
    await polling


async def telegram_echo(url: str) -> None:
    """The same of python-telegram-bot, with updates side by side."""
    from telegram import Update
    from telegram.ext import Application, ContextTypes, MessageHandler, filters

    async def echo(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        if update.message is not None:
            await update.message.reply_text(update.message.text or "")

    app = Application.builder().token(TOKEN).base_url(f"{url}/bot").concurrent_updates(64).build()
    app.add_handler(MessageHandler(filters.TEXT, echo))
    async with app:
        await app.start()
        if app.updater is not None:
            await app.updater.start_polling()
        await told_to_stop()
        if app.updater is not None:
            await app.updater.stop()
        await app.stop()


async def _at_once(send: Callable[[int], Awaitable[object]], concurrency: int) -> None:
    """Send all letters, so many at a time."""
    numbers = iter(range(1, LETTERS + 1))

    async def work() -> None:
        for number in numbers:
            await send(number)

    await asyncio.gather(*(work() for _ in range(concurrency)))


def telegram_drain(concurrency: int) -> Peer:
    """python-telegram-bot in a loop over people."""

    async def drain(url: str) -> None:
        from telegram import Bot

        async with Bot(TOKEN, base_url=f"{url}/bot") as bot:
            await _at_once(lambda n: bot.send_message(n, TEXT, parse_mode="HTML"), concurrency)

    return drain


async def aiohttp_drain(url: str) -> None:
    """aiohttp, a hundred at a time, and nothing else."""
    from aiohttp import ClientSession

    async with ClientSession() as session:

        async def send(number: int) -> None:
            form = {"chat_id": f"{number}", "text": TEXT, "parse_mode": "HTML"}
            async with session.post(f"{url}/bot{TOKEN}/sendMessage", data=form) as answer:
                await answer.read()

        await _at_once(send, 100)


# What each imports, before the clock starts, and what it does.
PEERS: dict[str, tuple[str, Peer]] = {
    "aiogram-echo": ("aiogram", aiogram_echo),
    "telegram-echo": ("telegram.ext", telegram_echo),
    "telegram-drain-1": ("telegram", telegram_drain(1)),
    "telegram-drain-10": ("telegram", telegram_drain(10)),
    "aiohttp-drain": ("aiohttp", aiohttp_drain),
}


async def timed(work: Awaitable[None]) -> None:
    """Do this, and tell what it took."""
    begun, busy = time.perf_counter(), time.process_time()
    await work
    took = {"seconds": time.perf_counter() - begun, "busy": time.process_time() - busy}
    print(json.dumps(took))  # noqa: T201 - read by who started us


def main() -> None:
    """Run one of them."""
    name, url, *how = sys.argv[1:]
    library, peer = PEERS[name]
    importlib.import_module(library)
    if "--tuned" in how:
        import uvloop

        gc.freeze()
        gc.set_threshold(10_000)
        uvloop.run(timed(peer(url)))
    else:
        asyncio.run(timed(peer(url)))


if __name__ == "__main__":
    main()
