"""Make the pictures of the README: `make screenshots`."""

import asyncio
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page, async_playwright, expect

from bot.demo import stage
from bot.zones import prefer_packaged_zones

DOCS = Path(__file__).parent.parent / "docs"
DESKTOP, PHONE = (1440, 900), (390, 844)
# A quiet browser: it asks nobody on the network anything.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@asynccontextmanager
async def opened(chromium: str, url: str, size: tuple[int, int] = DESKTOP) -> AsyncIterator[Page]:
    """The page in a real browser, once its phones are there."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = await browser.new_page(
            viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce"
        )
        await page.goto(url)
        await expect(page.locator(".phone")).to_have_count(3)
        yield page
        await browser.close()


async def take_pictures(chromium: str, folder: Path) -> None:
    """The three phones at work, and one of them on a narrow screen."""
    with tempfile.TemporaryDirectory() as scratch:
        url = f"sqlite+aiosqlite:///{Path(scratch) / 'demo.db'}"
        async with stage(0, url) as (page_url, _sim, _app):
            async with opened(chromium, page_url) as page:
                french, english = page.locator(".phone").nth(1), page.locator(".phone").nth(2)
                await french.get_by_role("button", name=re.compile("Panel 1")).click()
                await french.get_by_role("button", name="Rejoindre la liste d'attente").click()
                await expect(french.locator(".theirs .text").last).to_contain_text("numéro 10")
                await english.get_by_role("textbox", name="Message").fill("/settings")
                await english.get_by_role("textbox", name="Message").press("Enter")
                await expect(english.locator(".theirs .text").last).to_contain_text("Settings")
                await page.get_by_role("button", name="To the next reminder").click()
                arabic = page.locator(".phone").nth(0)
                await expect(arabic.locator(".theirs .text").last).to_contain_text("تذكير")
                for phone, words in ((french, "Rappel"), (english, "Reminder")):
                    await expect(phone.locator(".theirs .text").last).to_contain_text(words)
                await page.screenshot(path=folder / "phones.png")
            async with opened(chromium, page_url, PHONE) as page:
                await page.screenshot(path=folder / "narrow.png")


def main() -> None:
    """Write the pictures, by default to docs/."""
    prefer_packaged_zones()
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("There is no Chromium on this machine: no pictures.")
    asyncio.run(take_pictures(chromium, folder))


if __name__ == "__main__":
    main()
